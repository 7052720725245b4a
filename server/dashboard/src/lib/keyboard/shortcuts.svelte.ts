// Owns the keys that do something where nothing is typed: pages offer theirs, one place listens, one dialog shows them all.
import { stored } from '$lib/state/stored';
import { untrack } from 'svelte';

export interface Shortcut {
  /** As `KeyboardEvent.key` says it: one character. */
  key: string;
  text: string;
  run: () => void;
}

type Offer = () => readonly Shortcut[];

/** Fields in which a letter is only pressed, never written. */
const PRESSED = ['button', 'checkbox', 'file', 'radio', 'reset', 'submit'];
const ABOVE = 'dialog[open], [popover]:popover-open';

/** Whether the person is writing: then a letter is a letter. */
export function writing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !PRESSED.includes(target.type);
  return target.isContentEditable || target.matches('textarea, select');
}

class Shortcuts {
  #offers = $state.raw<readonly Offer[]>([]);
  #on = $state(stored.read('keys', ['on', 'off']) !== 'off');
  /** What lies over the page. */
  open = $state<'help' | 'palette' | null>(null);

  /** Whoever dictates or strikes keys by accident switches them off; what needs Ctrl stays. */
  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    stored.write('keys', on ? 'on' : 'off');
  }

  /** What can be pressed now, the page's own first. */
  get list(): Shortcut[] {
    return this.#offers.flatMap((offer) => offer());
  }

  /** Offers more, until the returned function is called: for an effect. */
  offer(more: Offer): () => void {
    untrack(() => (this.#offers = [more, ...this.#offers]));
    return () => (this.#offers = this.#offers.filter((offer) => offer !== more));
  }

  press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.#on || writing(event.target) || document.querySelector(ABOVE)) return;
    const shortcut = this.list.find(({ key }) => key === event.key);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run();
  }
}

export const shortcuts = new Shortcuts();
