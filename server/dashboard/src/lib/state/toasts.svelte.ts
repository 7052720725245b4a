// Owns the short messages at the edge of the screen, each with at most one action such as undo.

export interface Toast {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
  action?: { label: string; run: () => void };
}

class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #next = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++;
    this.#list = [...this.#list.slice(-2), { id, ...toast }];
    // Whoever may want to undo gets more time.
    setTimeout(() => this.dismiss(id), toast.action ? 9_000 : 4_500);
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
