// Owns a list that is fetched as a whole: what came, or why it did not.
import { session } from './session.svelte';

export class Loaded<T> {
  #value = $state.raw<T | null>(null);
  #failed = $state.raw<unknown>(null);
  #asked = 0;

  constructor(private readonly ask: () => Promise<T>) {}

  /** Null until the first answer. */
  get value(): T | null {
    return this.#value;
  }

  get failed(): unknown {
    return this.#failed;
  }

  /** Never rejects. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const value = await this.ask();
      if (asked !== this.#asked) return; // a later question was asked meanwhile
      this.#value = value;
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause) && asked === this.#asked) this.#failed = cause;
    }
  }
}
