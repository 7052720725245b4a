// Owns the short messages at the edge of the screen, each with at most one action such as undo.

export interface Toast {
  id: number;
  text: string;
  tone: 'ok' | 'warn' | 'bad';
  action?: { label: string; run: () => void };
  /** Until somebody closes it. */
  stays?: boolean;
  /** What it is about: a newer word about the same takes its place. */
  group?: string;
  /** It tells of an alert: screen readers say it at once. */
  alert?: boolean;
}

/** Passing ones; those that stay are all kept, and shown as many as there is room for. */
const MOST_PASSING = 3;

/** It offers to take something back: what an alert offers is to look at it. */
const undoes = ({ action, alert, stays }: Toast): boolean => action !== undefined && !alert && !stays;

/** How long a toast is there; whoever may want to undo gets more time. */
const SHOWN_MS = 4_500;
const UNDO_MS = 10_000;

class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #next = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(toast: Omit<Toast, 'id'>): void {
    const shown = { id: this.#next++, ...toast };
    this.#list = added(this.#list, shown);
    this.release(shown);
  }

  /** While somebody is at it, by mouse or keyboard, it does not go. */
  hold({ id }: Toast): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  release(toast: Toast): void {
    this.hold(toast);
    if (toast.stays) return;
    this.#timers.set(
      toast.id,
      setTimeout(() => this.dismiss(toast.id), toast.action ? UNDO_MS : SHOWN_MS),
    );
  }

  /** Takes back what was done last, whatever was told since. */
  undo(): void {
    const toast = this.#list.findLast(undoes);
    if (!toast) return;
    this.dismiss(toast.id);
    toast.action?.run();
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }

  dismissGroup(group: string): void {
    if (this.#list.some((toast) => toast.group === group))
      this.#list = this.#list.filter((toast) => toast.group !== group);
  }

  /** They were for the person who was signed in. */
  clear(): void {
    for (const { id } of this.#list) this.dismiss(id);
  }

  dismissStaying(): void {
    this.#list = this.#list.filter((toast) => !toast.stays);
  }
}

/** The list with one more: it replaces its group, and the oldest passing one of its kind gives way, so that news takes no undo away. */
export function added(list: readonly Toast[], toast: Toast): Toast[] {
  const kept = list.filter(({ group }) => group === undefined || group !== toast.group);
  const all = [...kept, toast];
  const passing = all.filter((each) => !each.stays && undoes(each) === undoes(toast));
  const gone = new Set(passing.slice(0, Math.max(0, passing.length - MOST_PASSING)));
  return all.filter((each) => !gone.has(each));
}

export const toasts = new Toasts();
