// Owns a list that the server gives page by page: the newest first, older ones on request, fetched anew without losing place.
import { session } from './session.svelte';

interface Page<T> {
  items: readonly T[];
  /** Where it goes on; null at the end. */
  next: number | null;
}

const AT_ONCE = 50;
/** So many are fetched anew at most. */
const MOST_AGAIN = 200;

export class Paged<T> {
  #items = $state.raw<readonly T[] | null>(null);
  #next = $state.raw<number | null>(null);
  #failed = $state.raw<unknown>(null);
  #busy = $state(false);
  #asked = 0;

  constructor(
    private readonly ask: (limit: number, before: number | undefined) => Promise<Page<T>>,
    private readonly atOnce = AT_ONCE,
  ) {}

  /** Null until the first answer. */
  get items(): readonly T[] | null {
    return this.#items;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  get failed(): unknown {
    return this.#failed;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** As many as are on the screen already: whoever has scrolled far stays there. Never rejects. */
  refresh(): Promise<void> {
    return this.#fetch(Math.min(MOST_AGAIN, Math.max(this.atOnce, this.#items?.length ?? 0)), undefined);
  }

  older(): Promise<void> {
    return this.#fetch(this.atOnce, this.#next ?? undefined);
  }

  /** What is known already of those on the screen, before they are fetched anew. */
  protected change(changed: (items: readonly T[]) => readonly T[]): void {
    if (this.#items) this.#items = changed(this.#items);
  }

  async #fetch(limit: number, before: number | undefined): Promise<void> {
    const asked = ++this.#asked;
    this.#busy = true;
    try {
      const { items, next } = await this.ask(limit, before);
      if (asked !== this.#asked) return; // a later question was asked meanwhile
      this.#items = before === undefined ? items : [...(this.#items ?? []), ...items];
      this.#next = next;
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause) && asked === this.#asked) this.#failed = cause;
    } finally {
      if (asked === this.#asked) this.#busy = false;
    }
  }
}
