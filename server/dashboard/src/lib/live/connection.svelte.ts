// Owns the live connection as the application sees it: its status, the batching of events, and the
// catch-up after every loss. Whatever shows data registers here and can both apply events and fetch anew.
import { api } from '$lib/api/client';
import type { LiveEvent } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import { session } from '$lib/state/session.svelte';
import { backoff } from './backoff';
import { failsRound } from './round';
import { LiveSocket } from './socket';

export interface Follower {
  /** Fetches everything, and rejects when it can't: after a connection, and after the server says that we missed something. */
  refresh(): Promise<void>;
  /** Applies what happened since. */
  apply(events: readonly LiveEvent[]): void;
}

type Status = 'connecting' | 'live' | 'lost';

/** Events are applied together this often: fifty devices must not paint the screen fifty times. */
const FLUSH_MS = 200;
/** A socket that has been silent for this long may be dead: a phone that slept, a network that changed. */
const SILENCE_MS = 30_000;
const AFTER_SLEEP_MS = 5_000;
/** Without a socket (a proxy may refuse one) the data is fetched this often instead. */
const POLL_MS = 15_000;
const FIRST_POLL_MS = 1_500;

class Connection {
  #status = $state<Status>('connecting');
  #upToDateAt = $state<number | null>(null);
  #retrying = $state(false);
  #followers = new Set<Follower>();
  #queue: LiveEvent[] = [];
  #flushing: ReturnType<typeof setTimeout> | undefined;
  #polling: ReturnType<typeof setTimeout> | undefined;
  #refreshing: Promise<boolean> | null = null;
  #catchUps = 0;
  #failures = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #open = false;
  #heardAt = 0;
  #watching: ReturnType<typeof setInterval> | undefined;
  #socket = new LiveSocket(
    `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`,
    {
      opened: () => {
        this.#open = true;
        this.#heardAt = Date.now();
        this.#queue = [];
        void this.#catchUp();
      },
      closed: () => this.#closed(),
      event: (event) => this.#take(event),
    },
  );

  get status(): Status {
    return this.#status;
  }

  /** When the screen last agreed with the server; null before the first time. */
  get upToDateAt(): number | null {
    return this.#upToDateAt;
  }

  get retrying(): boolean {
    return this.#retrying;
  }

  /** Registers until the returned function is called. One that comes late fetches by itself. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  start(): void {
    this.#status = 'connecting';
    this.#socket.start();
    this.#poll(FIRST_POLL_MS);
    this.#watching = setInterval(() => this.#doubt(SILENCE_MS), SILENCE_MS / 3);
    document.addEventListener('visibilitychange', this.#awoke);
  }

  stop(): void {
    this.#socket.stop();
    clearInterval(this.#watching);
    document.removeEventListener('visibilitychange', this.#awoke);
    this.#open = false;
    this.#upToDateAt = null;
    clearTimeout(this.#polling);
    clearTimeout(this.#again);
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    this.#queue = [];
  }

  async retry(): Promise<void> {
    this.#retrying = true;
    this.#socket.retry();
    await this.#refresh();
    this.#retrying = false;
  }

  #awoke = (): void => {
    if (document.visibilityState !== 'visible') return;
    this.#socket.retry();
    this.#doubt(AFTER_SLEEP_MS);
  };

  /** Asks over HTTP whether the server is still there, when the socket has said nothing for a while. */
  #doubt(silenceMs: number): void {
    if (!this.#open || Date.now() - this.#heardAt < silenceMs) return;
    this.#heardAt = Date.now();
    api.session().catch((cause: unknown) => {
      if (!session.ended(cause)) this.#socket.drop();
    });
  }

  #take(event: LiveEvent): void {
    this.#heardAt = Date.now();
    if (event.type === 'missed') {
      void this.#catchUp();
      return;
    }
    this.#queue.push(event);
    this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #flush(): void {
    this.#flushing = undefined;
    // What comes in during a fetch is applied after it, so that the answer can't put it back.
    if (this.#refreshing || this.#queue.length === 0) return;
    const events = this.#queue;
    this.#queue = [];
    for (const follower of this.#followers) follower.apply(events);
    if (this.#status === 'live') this.#upToDateAt = serverNow();
  }

  async #catchUp(): Promise<void> {
    const own = ++this.#catchUps;
    clearTimeout(this.#again);
    // A round under way was asked before the socket opened, or before something was missed: its answers may lack that.
    await this.#refreshing;
    const done = await this.#refresh();
    if (!this.#open || own !== this.#catchUps) return;
    if (done) {
      this.#failures = 0;
      this.#status = 'live';
    } else {
      this.#again = setTimeout(() => this.#open && void this.#catchUp(), backoff(++this.#failures));
    }
    this.#flush();
  }

  async #closed(): Promise<void> {
    this.#open = false;
    this.#status = 'lost';
    this.#poll(FIRST_POLL_MS);
    // The server closes the socket when the session ends; only a request tells that from a bad network. It also changes an
    // access token that has expired, without which no other socket would be let in.
    await api.session().catch((cause: unknown) => session.ended(cause));
  }

  #poll(after: number): void {
    clearTimeout(this.#polling);
    this.#polling = setTimeout(async () => {
      if (this.#open) return;
      if (!(await this.#refresh()) && this.#status === 'connecting') this.#status = 'lost';
      if (!this.#open && session.state.is === 'in') this.#poll(POLL_MS);
    }, after);
  }

  /** Lets every follower fetch; concurrent calls share one round. True if the server answered all of them. */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= (async () => {
      const results = await Promise.allSettled([...this.#followers].map((follower) => follower.refresh()));
      this.#refreshing = null;
      const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      for (const cause of failed) session.ended(cause);
      if (failed.some(failsRound)) return false;
      this.#upToDateAt = serverNow();
      return true;
    })();
    return this.#refreshing;
  }
}

export const connection = new Connection();
