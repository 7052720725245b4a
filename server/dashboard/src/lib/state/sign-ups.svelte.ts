// Owns who asks for an account and waits: fetched on every connection and when the server says that it changed. Only for
// those who may see it.
import { peopleApi } from '$lib/api/people';
import type { LiveEvent, SignUp } from '$lib/api/types';
import { connection, type Follower } from '$lib/live/connection.svelte';
import { may } from '$lib/session/may';
import { session } from './session.svelte';

class SignUps implements Follower {
  #list = $state.raw<readonly SignUp[] | null>(null);
  #running = false;

  /** Null until the first answer. */
  get list(): readonly SignUp[] | null {
    return this.#list;
  }

  /** How many wait for this person: one who only reads decides on none. */
  get count(): number {
    return may('manage_users') ? (this.#list?.length ?? 0) : 0;
  }

  /** Follows until the returned function is called. */
  start(): () => void {
    if (!may('read_audit')) return () => undefined;
    this.#running = true;
    const unfollow = connection.follow(this);
    return () => {
      this.#running = false;
      unfollow();
      this.#list = null;
    };
  }

  /** Never rejects: a list that fails to come is fetched at the next connection. */
  async refresh(): Promise<void> {
    try {
      const list = await peopleApi.signUps();
      if (this.#running) this.#list = list;
    } catch (cause) {
      session.ended(cause);
    }
  }

  apply(events: readonly LiveEvent[]): void {
    if (events.some(({ type }) => type === 'signups')) void this.refresh();
  }
}

export const signUps = new SignUps();
