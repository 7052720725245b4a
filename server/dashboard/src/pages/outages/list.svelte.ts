// Owns the outages that have been fetched: the newest first, older ones on request.
import { alertsApi } from '$lib/api/alerts';
import type { Outage } from '$lib/api/alert-types';
import { session } from '$lib/state/session.svelte';

const AT_ONCE = 50;

export class OutageList {
  #outages = $state.raw<readonly Outage[] | null>(null);
  #next = $state.raw<number | null>(null);
  #failed = $state.raw<unknown>(null);
  #busy = $state(false);
  #asked = 0;

  constructor(readonly where: { device?: string; location?: string }) {}

  get outages(): readonly Outage[] | null {
    return this.#outages;
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
      const page = await alertsApi.outages(this.where, AT_ONCE, before);
      if (asked !== this.#asked) return;
      this.#outages = before === undefined ? page.outages : [...(this.#outages ?? []), ...page.outages];
      this.#next = page.next;
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause)) this.#failed = cause;
    } finally {
      if (asked === this.#asked) this.#busy = false;
    }
  }
}
