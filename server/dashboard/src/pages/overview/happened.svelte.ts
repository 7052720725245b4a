// Owns the last events behind the overview: fetched on every connection, and again soon after news of alerts.
import { alertsApi } from '$lib/api/alerts';
import type { LiveEvent } from '$lib/api/types';
import type { Follower } from '$lib/live/connection.svelte';
import { newsOf } from '$lib/state/alerts.svelte';
import { Loaded } from '$lib/state/loaded.svelte';
import { eventsOf, type Event } from './events';

const MOST = 8;
/** More than are shown: parts of larger ones and those that are told otherwise are left out. */
const ASKED = 24;
/** Alerts come in crowds. */
const AFTER_NEWS_MS = 800;

export class Happened implements Follower {
  readonly #loaded = new Loaded(async () => {
    const [{ alerts }, { outages }] = await Promise.all([
      alertsApi.list({}, ASKED),
      alertsApi.outages({}, ASKED),
    ]);
    return eventsOf(alerts, outages, MOST);
  });
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Null until the first answer. */
  get events(): readonly Event[] | null {
    return this.#loaded.value;
  }

  get failed(): unknown {
    return this.#loaded.failed;
  }

  /** Never rejects: that it fails says nothing about the rest of the page. */
  refresh(): Promise<void> {
    return this.#loaded.load();
  }

  apply(events: readonly LiveEvent[]): void {
    if (newsOf(events).length === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, AFTER_NEWS_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
