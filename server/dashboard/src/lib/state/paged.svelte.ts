// Owns a list that the server gives page by page: the newest first, older ones on request, fetched anew without losing place.
import { untrack } from 'svelte';
import { session } from './session.svelte';

interface Page<T> {
  items: readonly T[];
  /** Where it goes on; null at the end. */
  next: number | null;
}

const AT_ONCE = 50;
/** So many are fetched anew at most. */
const MOST_AGAIN = 200;

/** Its number, as all that the server gives page by page have; a thing without one is itself. */
const idOf = (item: unknown): unknown =>
  typeof item === 'object' && item !== null && 'id' in item ? item.id : item;

export class Paged<T> {
  #items = $state.raw<readonly T[] | null>(null);
  #next = $state.raw<number | null>(null);
  #failed = $state.raw<unknown>(null);
  #busy = $state(false);
  #asked = 0;
  #adding: Promise<void> | null = null;
  #renewing: Promise<void> | null = null;

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

  /**
   * As many as are on the screen already: whoever has scrolled far stays there, and whoever has asked for older ones gets them
   * first. Never rejects.
   */
  refresh(): Promise<void> {
    this.#renewing = this.#renew();
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    if (this.#adding) await this.#adding;
    // Whoever asks from an effect does not depend on the answer: that would ask again and again.
    const shown = untrack(() => this.#items?.length ?? 0);
    await this.#fetch(Math.min(MOST_AGAIN, Math.max(this.atOnce, shown)), undefined);
  }

  older(): Promise<void> {
    this.#adding ??= this.#add().finally(() => (this.#adding = null));
    return this.#adding;
  }

  async #add(): Promise<void> {
    await this.#renewing;
    await this.#fetch(this.atOnce, this.#next ?? undefined);
  }

  /** What is known already of those on the screen, before they are fetched anew. */
  protected change(changed: (items: readonly T[]) => readonly T[]): void {
    if (this.#items) this.#items = changed(this.#items);
  }

  /** What is on the screen after the last of these: it was not asked for anew, and stays. */
  #beyond(items: readonly T[], next: number | null): readonly T[] {
    const known = this.#items ?? [];
    const last = items.at(-1);
    if (known.length <= MOST_AGAIN || next === null || last === undefined) return [];
    const anew = new Set(items.map(idOf));
    const at = known.findIndex((each) => idOf(each) === idOf(last));
    return at < 0 ? [] : known.slice(at + 1).filter((each) => !anew.has(idOf(each)));
  }

  async #fetch(limit: number, before: number | undefined): Promise<void> {
    const asked = ++this.#asked;
    this.#busy = true;
    try {
      const { items, next } = await this.ask(limit, before);
      if (asked !== this.#asked) return; // a later question was asked meanwhile
      const kept = before === undefined ? this.#beyond(items, next) : [];
      this.#items = before === undefined ? [...items, ...kept] : [...(this.#items ?? []), ...items];
      if (kept.length === 0) this.#next = next;
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause) && asked === this.#asked) this.#failed = cause;
    } finally {
      if (asked === this.#asked) this.#busy = false;
    }
  }
}
