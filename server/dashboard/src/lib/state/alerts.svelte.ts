// Owns which alerts are not over and how many there are: fetched on every connection, kept by events in between.
import { alertsApi } from '$lib/api/alerts';
import type { Alert, AlertCounts, News, Severity } from '$lib/api/alert-types';
import { keyOf, levels, mergeNews, missed, type Active } from '$lib/alert/news';
import { tell } from '$lib/alert/tell.svelte';
import type { LiveEvent } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import { connection, type Follower } from '$lib/live/connection.svelte';
import { session } from './session.svelte';

/** More than these need no colour of their own in the list: nobody looks at each any more. */
const MOST = 500;
/** Alerts come in crowds, too. */
const AFTER_NEWS_MS = 400;
const NONE: AlertCounts = { open: 0, acknowledged: 0, critical: 0, unread: 0 };

class Alerts implements Follower {
  #active = $state.raw<Active>(new Map());
  #counts = $state.raw<AlertCounts>(NONE);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #asked = 0;
  /** Whether there was an answer: what the first one brings is no news. */
  #known = false;
  /** What events have said of while an answer is on its way: that is newer than the answer. */
  #touched = new Set<number>();

  readonly #levels: ReadonlyMap<string, Severity> = $derived(levels(this.#active));

  get active(): Active {
    return this.#active;
  }

  get counts(): AlertCounts {
    return this.#counts;
  }

  /** How bad the value of a metric is, by the alerts that are not over. */
  levelOf(device: string, metric: string): Severity | null {
    return this.#levels.get(keyOf(device, metric)) ?? null;
  }

  /** Those of a device, of a location alone, or of everything. */
  of(device: string): Alert[] {
    return [...this.#active.values()].filter((alert) => alert.device === device);
  }

  /** Follows until the returned function is called. */
  start(): () => void {
    this.#running = true;
    const unfollow = connection.follow(this);
    return () => {
      this.#running = false;
      unfollow();
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#asked += 1;
      this.#known = false;
      this.#active = new Map();
      this.#counts = NONE;
    };
  }

  /** Tells of what came and went unheard. Rejects when they fail to come: nothing is live with alerts of before. */
  async refresh(): Promise<void> {
    const asked = ++this.#asked;
    this.#touched = new Set();
    try {
      const { alerts, counts } = await alertsApi.list({ state: 'open,acknowledged' }, MOST);
      if (!this.#running || asked !== this.#asked) return;
      const before = this.#active;
      const found = new Map(alerts.map((alert) => [alert.id, alert]));
      for (const id of this.#touched) {
        const newer = before.get(id);
        if (newer) found.set(id, newer);
        else found.delete(id);
      }
      this.#active = found;
      this.#counts = counts;
      if (this.#known) tell.caughtUp(missed(before, found, serverNow(), MOST));
      this.#known = true;
    } catch (cause) {
      session.ended(cause);
      throw cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    const news = newsOf(events);
    if (news.length === 0) return;
    this.#active = mergeNews(this.#active, news);
    for (const { alert } of news) if (alert) this.#touched.add(alert.id);
    for (const each of news) tell.take(each);
    this.again();
  }

  /** Counts anew soon: whoever has done something to alerts calls it, too. */
  again(): void {
    if (!this.#running) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch(() => undefined); // the next news or connection asks again
    }, AFTER_NEWS_MS);
  }
}

export const newsOf = (events: readonly LiveEvent[]): News[] =>
  events.flatMap((event) => (event.type === 'alert' ? [event.news] : []));

export const alerts = new Alerts();
