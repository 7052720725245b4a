// Owns what is asked for in parts and shown as it comes: a few questions at once, the next ones on request.
import { session } from '$lib/state/session.svelte';

export class Gradual<Question, Item> {
  #items = $state.raw<readonly Item[] | null>(null);
  #failed = $state.raw<unknown>(null);
  #busy = $state(false);
  #at = $state(0);

  constructor(
    private readonly questions: readonly Question[],
    private readonly ask: (question: Question) => Promise<readonly Item[]>,
    private readonly step: number,
  ) {}

  /** Null until the first answer. */
  get items(): readonly Item[] | null {
    return this.#items;
  }

  get failed(): unknown {
    return this.#failed;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get hasMore(): boolean {
    return this.#at < this.questions.length;
  }

  /** Never rejects; what failed is asked anew the next time. */
  async more(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#failed = null;
    try {
      const until = Math.min(this.#at + this.step, this.questions.length);
      for (; this.#at < until; this.#at += 1) {
        const question = this.questions[this.#at];
        if (question !== undefined) this.#items = [...(this.#items ?? []), ...(await this.ask(question))];
      }
      this.#items ??= [];
    } catch (cause) {
      if (!session.ended(cause)) this.#failed = cause;
    } finally {
      this.#busy = false;
    }
  }
}
