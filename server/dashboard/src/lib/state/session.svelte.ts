// Owns who is signed in. Any answer "401" ends the session here, and the sign-in page takes its place
// over the same address, so that signing in again goes on where the person was.
import { api } from '$lib/api/client';
import { Problem } from '$lib/api/problem';

/** A server that is just starting is found without a hand. */
const RETRY_MS = 4_000;

type State =
  { is: 'unknown' } | { is: 'unreachable' } | { is: 'out'; expired: boolean } | { is: 'in'; user: string };

class Session {
  #state = $state.raw<State>({ is: 'unknown' });

  get state(): State {
    return this.#state;
  }

  get user(): string {
    return this.#state.is === 'in' ? this.#state.user : '';
  }

  /** Asks the server whether this browser is signed in already. */
  async resume(): Promise<void> {
    try {
      const { user } = await api.session();
      this.#state = { is: 'in', user };
    } catch (cause) {
      const out = cause instanceof Problem && cause.signedOut;
      this.#state = out ? { is: 'out', expired: false } : { is: 'unreachable' };
      if (!out) setTimeout(() => this.#state.is === 'unreachable' && void this.resume(), RETRY_MS);
    }
  }

  async signIn(user: string, password: string): Promise<void> {
    const session = await api.signIn(user, password);
    this.#state = { is: 'in', user: session.user };
  }

  async signOut(): Promise<void> {
    await api.signOut();
    this.#state = { is: 'out', expired: false };
  }

  /** Notices that a failed request means the end of the session. True if it does. */
  ended(cause: unknown): boolean {
    if (!(cause instanceof Problem) || !cause.signedOut) return false;
    if (this.#state.is === 'in') this.#state = { is: 'out', expired: true };
    return true;
  }
}

export const session = new Session();
