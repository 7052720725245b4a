// Owns who is signed in and what they may do. An answer "401" that no refresh mends ends the session here, and the sign-in page takes its place
// over the same address, so that signing in again goes on where the person was.
import { api } from '$lib/api/client';
import { Problem } from '$lib/api/problem';
import type { Permission, Session as SignedIn } from '$lib/api/types';
import { noteZone } from '$lib/format/zone';

/** A server that is just starting is found without a hand. */
const RETRY_MS = 4_000;

type State =
  { is: 'unknown' } | { is: 'unreachable' } | { is: 'out'; expired: boolean } | { is: 'in'; who: SignedIn };

const NOTHING: readonly Permission[] = [];

class Session {
  #state = $state.raw<State>({ is: 'unknown' });

  get state(): State {
    return this.#state;
  }

  get user(): string {
    return this.#state.is === 'in' ? this.#state.who.user : '';
  }

  get permissions(): readonly Permission[] {
    return this.#state.is === 'in' ? this.#state.who.permissions : NOTHING;
  }

  /** Nothing can be done before a password is chosen. */
  get mustChange(): boolean {
    return this.#state.is === 'in' && this.#state.who.must_change;
  }

  /** Asks the server whether this browser is signed in already. */
  async resume(): Promise<void> {
    try {
      this.#enter(await api.session());
    } catch (cause) {
      const out = cause instanceof Problem && cause.signedOut;
      this.#state = out ? { is: 'out', expired: false } : { is: 'unreachable' };
      if (!out) setTimeout(() => this.#state.is === 'unreachable' && void this.resume(), RETRY_MS);
    }
  }

  /** Rejects with the server's problem; `codeNeeded` if there has to be a code, too. */
  async signIn(user: string, password: string, code = ''): Promise<void> {
    this.#enter(await api.signIn(user, password, code));
  }

  async signOut(): Promise<void> {
    await api.signOut();
    this.#state = { is: 'out', expired: false };
  }

  /** The session has been ended by other means than signing out. */
  gone(): void {
    this.#state = { is: 'out', expired: false };
  }

  /** Rejects with the server's problem. All other sessions of the account end. */
  async changePassword(old: string, chosen: string): Promise<void> {
    await api.changePassword(old, chosen);
    this.#mustChange(false);
  }

  /** Notices that a failed request means the end of the session, or that a password is to be chosen. True if it does. */
  ended(cause: unknown): boolean {
    if (!(cause instanceof Problem)) return false;
    if (cause.mustChange) this.#mustChange(true);
    if (!cause.signedOut) return cause.mustChange;
    if (this.#state.is === 'in') this.#state = { is: 'out', expired: true };
    return true;
  }

  #enter(who: SignedIn): void {
    noteZone(who.time_zone);
    this.#state = { is: 'in', who };
  }

  #mustChange(must_change: boolean): void {
    if (this.#state.is === 'in' && this.#state.who.must_change !== must_change)
      this.#state = { is: 'in', who: { ...this.#state.who, must_change } };
  }
}

export const session = new Session();
