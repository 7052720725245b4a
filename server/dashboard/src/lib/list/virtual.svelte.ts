// Owns the window of a long list that scrolls with the page: what is drawn, the room before and after it, and the way of
// the keyboard through it. Knows nothing of what the rows show; each says its place in `data-row`.
import { tick } from 'svelte';
import { stepped, windowOf, type Window } from './window';

interface Shape {
  /** How many things there are. */
  count: number;
  /** How many stand side by side. */
  across: number;
  /** The height of a row, with the gap below it. */
  height: number;
  /** What stands before the first row within what is attached. */
  head?: number;
}

/** What covers the top of the sight: a banner, the head of a table. */
const COVERED = 110;

export class Virtual {
  #window = $state.raw<Window>({ from: 0, to: 24 });
  #node: HTMLElement | null = null;

  constructor(private readonly shape: () => Shape) {}

  readonly #rows: number = $derived.by(() => Math.ceil(this.shape().count / this.shape().across));

  /** The things that are drawn, by their place. */
  readonly drawn: Window = $derived.by(() => {
    const { count, across } = this.shape();
    const from = Math.min(this.#window.from, Math.max(0, this.#rows - 1));
    return { from: from * across, to: Math.min(count, this.#window.to * across) };
  });

  /** In pixels: what is not drawn keeps its room. */
  readonly before: number = $derived.by(() => (this.drawn.from / this.shape().across) * this.shape().height);
  readonly after: number = $derived.by(() => {
    const { across, height } = this.shape();
    return (this.#rows - Math.ceil(this.drawn.to / across)) * height;
  });

  /** Follows the page's scroll; to be attached to what holds the rows. */
  attach = (node: HTMLElement): (() => void) => {
    this.#node = node;
    let asked = 0;
    const look = (): void => {
      asked = 0;
      this.look();
    };
    const soon = (): void => {
      asked ||= requestAnimationFrame(look);
    };
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    $effect(() => {
      void this.#rows;
      void this.shape().height;
      soon();
    });
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener('scroll', soon);
      removeEventListener('resize', soon);
      this.#node = null;
    };
  };

  look(): void {
    if (!this.#node) return;
    const top = -this.#top();
    const next = windowOf(top, innerHeight, this.#rows, this.shape().height);
    if (next.from !== this.#window.from || next.to !== this.#window.to) this.#window = next;
  }

  /** Arrow keys, Home, End and the pages move the focus from row to row, also to those that are not drawn yet. */
  key = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = event.target instanceof Element ? event.target.closest('[data-row]') : null;
    if (!row) return;
    const { count, across, height } = this.shape();
    const page = Math.max(1, Math.floor(innerHeight / height) - 1);
    const to = stepped(event.key, Number(row.getAttribute('data-row')), count, across, page);
    if (to === null) return;
    event.preventDefault();
    void this.#focus(to);
  };

  /** Where the first row is, or would be. */
  #top(): number {
    return (this.#node?.getBoundingClientRect().top ?? 0) + (this.shape().head ?? 0);
  }

  async #focus(place: number): Promise<void> {
    if (!this.#node) return;
    const { across, height } = this.shape();
    const top = this.#top() + Math.floor(place / across) * height;
    if (top < COVERED) scrollBy(0, top - COVERED);
    else if (top + height > innerHeight - COVERED) scrollBy(0, top + height - innerHeight + COVERED);
    this.look();
    await tick();
    this.#node.querySelector<HTMLElement>(`[data-row="${place}"] a`)?.focus({ preventScroll: true });
  }
}
