// Owns the entries of the audit log that have been fetched: the newest first, older ones on request.
import { api } from '$lib/api/client';
import type { AuditEntry } from '$lib/api/types';
import { session } from '$lib/state/session.svelte';

export class AuditLog {
  #entries = $state.raw<readonly AuditEntry[] | null>(null);
  #next = $state.raw<number | null>(null);
  #failed = $state.raw<unknown>(null);
  #busy = $state(false);
  #asked = 0;

  constructor(
    readonly device: string | undefined,
    readonly limit: number,
  ) {}

  /** Null until the first answer. */
  get entries(): readonly AuditEntry[] | null {
    return this.#entries;
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

  load(): Promise<void> {
    return this.#fetch(undefined);
  }

  older(): Promise<void> {
    return this.#fetch(this.#next ?? undefined);
  }

  async #fetch(before: number | undefined): Promise<void> {
    const asked = ++this.#asked;
    this.#busy = true;
    try {
      const page = await api.audit(this.limit, this.device, before);
      if (asked !== this.#asked) return; // a later question was asked meanwhile
      this.#entries = before === undefined ? page.entries : [...(this.#entries ?? []), ...page.entries];
      this.#next = page.next;
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause)) this.#failed = cause;
    } finally {
      if (asked === this.#asked) this.#busy = false;
    }
  }
}
