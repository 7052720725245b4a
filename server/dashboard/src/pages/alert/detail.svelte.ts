// Owns one alert with what happened to it: fetched, and again whenever there is news of it.
import { alertsApi } from '$lib/api/alerts';
import type { AlertDetail } from '$lib/api/alert-types';
import type { LiveEvent } from '$lib/api/types';
import type { Follower } from '$lib/live/connection.svelte';
import { newsOf } from '$lib/state/alerts.svelte';
import { session } from '$lib/state/session.svelte';

/** Its deliveries go out after the news has come in. */
const AGAIN_MS = [200, 3_000] as const;

export class Detail implements Follower {
  #detail = $state.raw<AlertDetail | null>(null);
  #failed = $state.raw<unknown>(null);
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(readonly id: number) {}

  get detail(): AlertDetail | null {
    return this.#detail;
  }

  get failed(): unknown {
    return this.#failed;
  }

  /** Never rejects: the page says it. */
  async refresh(): Promise<void> {
    try {
      this.#detail = await alertsApi.one(this.id);
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause)) this.#failed = cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    if (!newsOf(events).some(({ alert }) => alert?.id === this.id || alert?.parent === this.id)) return;
    this.stop();
    this.#timers = AGAIN_MS.map((after) => setTimeout(() => void this.refresh(), after));
  }

  stop(): void {
    this.#timers.forEach(clearTimeout);
  }
}
