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

class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #next = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++;
    this.#list = added(this.#list, { id, ...toast });
    // Whoever may want to undo gets more time.
    if (!toast.stays) setTimeout(() => this.dismiss(id), toast.action ? 9_000 : 4_500);
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }

  dismissGroup(group: string): void {
    if (this.#list.some((toast) => toast.group === group))
      this.#list = this.#list.filter((toast) => toast.group !== group);
  }

  dismissStaying(): void {
    this.#list = this.#list.filter((toast) => !toast.stays);
  }
}

/** The list with one more: it replaces its group, and the oldest passing one gives way. */
export function added(list: readonly Toast[], toast: Toast): Toast[] {
  const kept = list.filter(({ group }) => group === undefined || group !== toast.group);
  const all = [...kept, toast];
  const passing = all.filter(({ stays }) => !stays);
  const gone = new Set(passing.slice(0, Math.max(0, passing.length - MOST_PASSING)));
  return all.filter((each) => !gone.has(each));
}

export const toasts = new Toasts();
