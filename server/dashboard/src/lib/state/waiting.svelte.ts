// Owns which boards wait for somebody's approval: fetched on every connection and every now and then, sooner while
// they are being looked at, whatever events may have been missed.
import { api } from '$lib/api/client';
import type { LiveEvent, WaitingBoard } from '$lib/api/types';
import { connection, type Follower } from '$lib/live/connection.svelte';
import { may } from '$lib/session/may';
import { session } from './session.svelte';

const SHOWN_MS = 5_000;
const HIDDEN_MS = 30_000;
/** Events come in crowds when a fleet starts. */
const AFTER_EVENT_MS = 400;

class Waiting implements Follower {
  #devices = $state.raw<readonly WaitingBoard[] | null>(null);
  #failed = $state.raw<unknown>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0;
  #shown = 0;
  #running = false;

  /** Null until the first answer. */
  get devices(): readonly WaitingBoard[] | null {
    return this.#devices;
  }

  /** How many wait for this person. Who can't let them in is not counted at: the strip and the badge would call for nothing. */
  get count(): number {
    return may('approve_devices') ? (this.#devices?.length ?? 0) : 0;
  }

  get failed(): unknown {
    return this.#failed;
  }

  /** Follows until the returned function is called. */
  start(): () => void {
    this.#running = true;
    const unfollow = connection.follow(this);
    document.addEventListener('visibilitychange', this.#awoke);
    return () => {
      this.#running = false;
      unfollow();
      document.removeEventListener('visibilitychange', this.#awoke);
      clearTimeout(this.#timer);
      this.#devices = null;
      this.#failed = null;
    };
  }

  /** Somebody is looking, until the returned function is called. */
  show(): () => void {
    this.#shown += 1;
    void this.refresh();
    return () => {
      this.#shown -= 1;
    };
  }

  /** Never rejects: that the list fails is told on its page, and says nothing about the rest. */
  async refresh(): Promise<void> {
    try {
      const devices = await api.waiting();
      if (!this.#running) return;
      this.#devices = devices.toSorted((a, b) => a.since - b.since);
      this.#failed = null;
    } catch (cause) {
      if (session.ended(cause)) return;
      this.#failed = cause;
    }
    this.#schedule(this.#shown > 0 ? SHOWN_MS : HIDDEN_MS, true);
  }

  apply(events: readonly LiveEvent[]): void {
    const news = events.some(({ type }) => type === 'waiting' || (type === 'device' && this.#shown > 0));
    if (news) this.#schedule(AFTER_EVENT_MS, false);
  }

  /** Takes one out at once; the next answer is the truth. */
  drop(id: string): void {
    this.#devices = this.#devices?.filter((each) => each.id !== id) ?? null;
    void this.refresh();
  }

  #awoke = (): void => {
    if (document.visibilityState === 'visible') void this.refresh();
  };

  #schedule(after: number, anew: boolean): void {
    const due = Date.now() + after;
    if (!this.#running || (!anew && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      if (document.visibilityState === 'visible') void this.refresh();
    }, after);
  }
}

export const waiting = new Waiting();
