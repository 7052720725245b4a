// Owns the alerts of a filter that have been fetched: the newest first, older ones on request, kept live by events.
import { alertsApi, type AlertQuery } from '$lib/api/alerts';
import type { Alert } from '$lib/api/alert-types';
import { replaceIn } from '$lib/alert/news';
import type { LiveEvent } from '$lib/api/types';
import type { Follower } from '$lib/live/connection.svelte';
import { newsOf } from '$lib/state/alerts.svelte';
import { session } from '$lib/state/session.svelte';

const AT_ONCE = 50;
const MOST_AGAIN = 200;
const AFTER_NEWS_MS = 300;

export class AlertList implements Follower {
  #alerts = $state.raw<readonly Alert[] | null>(null);
  #next = $state.raw<number | null>(null);
  #failed = $state.raw<unknown>(null);
  #busy = $state(false);
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly query: AlertQuery) {}

  /** Null until the first answer. */
  get alerts(): readonly Alert[] | null {
    return this.#alerts;
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
    return this.#fetch(Math.min(MOST_AGAIN, Math.max(AT_ONCE, this.#alerts?.length ?? 0)), undefined);
  }

  older(): Promise<void> {
    return this.#fetch(AT_ONCE, this.#next ?? undefined);
  }

  apply(events: readonly LiveEvent[]): void {
    const news = newsOf(events);
    if (news.length === 0) return;
    if (this.#alerts) this.#alerts = replaceIn(this.#alerts, news);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, AFTER_NEWS_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #fetch(limit: number, before: number | undefined): Promise<void> {
    const asked = ++this.#asked;
    this.#busy = true;
    try {
      const page = await alertsApi.list(this.query, limit, before);
      if (asked !== this.#asked) return; // a later question was asked meanwhile
      this.#alerts = before === undefined ? page.alerts : [...(this.#alerts ?? []), ...page.alerts];
      this.#next = page.next;
      this.#failed = null;
    } catch (cause) {
      if (!session.ended(cause)) this.#failed = cause;
    } finally {
      if (asked === this.#asked) this.#busy = false;
    }
  }
}
