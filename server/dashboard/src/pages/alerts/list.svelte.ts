// Owns the alerts of a filter that have been fetched, kept live by events.
import { alertsApi, type AlertQuery } from '$lib/api/alerts';
import type { Alert } from '$lib/api/alert-types';
import { replaceIn } from '$lib/alert/news';
import type { LiveEvent } from '$lib/api/types';
import type { Follower } from '$lib/live/connection.svelte';
import { newsOf } from '$lib/state/alerts.svelte';
import { Paged } from '$lib/state/paged.svelte';

const AFTER_NEWS_MS = 300;

export class AlertList extends Paged<Alert> implements Follower {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(query: AlertQuery) {
    super(async (limit, before) => {
      const { alerts, next } = await alertsApi.list(query, limit, before);
      return { items: alerts, next };
    });
  }

  apply(events: readonly LiveEvent[]): void {
    const news = newsOf(events);
    if (news.length === 0) return;
    this.change((alerts) => replaceIn(alerts, news));
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, AFTER_NEWS_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
