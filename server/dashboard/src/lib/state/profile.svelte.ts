// Owns the profile of whoever is signed in. The server keeps it, so that language, theme and notifications come along to the
// next phone; what this browser remembers is only for the first paint and the sign-in page.
import { heard } from '$lib/alert/heard.svelte';
import { peopleApi } from '$lib/api/people';
import type { Profile, ProfileChange } from '$lib/api/types';
import { i18n } from '$lib/i18n/index.svelte';
import { problemText } from '$lib/i18n/words';
import { connection, type Follower } from '$lib/live/connection.svelte';
import { session } from './session.svelte';
import { theme } from './theme.svelte';
import { toasts } from './toasts.svelte';

class OwnProfile implements Follower {
  #value = $state.raw<Profile | null>(null);
  /** Changes that were begun: only the answer to the last one is the truth. */
  #changes = 0;
  /** Moves whenever what is fetched meanwhile may be of before. */
  #moved = 0;

  /** Null until the first answer. */
  get value(): Profile | null {
    return this.#value;
  }

  /** Follows until the returned function is called. */
  start(): () => void {
    const unfollow = connection.follow(this);
    void this.refresh();
    return () => {
      unfollow();
      this.#changes += 1;
      this.#moved += 1;
      this.#value = null;
      heard.forget();
    };
  }

  /** Never rejects: the look of before goes on. */
  async refresh(): Promise<void> {
    const moved = this.#moved;
    try {
      const found = await peopleApi.profile();
      if (moved !== this.#moved) return;
      // Whoever chose a language before signing in wants that one.
      const chosen = i18n.takeChosen();
      this.#take(found);
      if (chosen && chosen !== found.language) await this.prefer({ language: chosen });
    } catch (cause) {
      session.ended(cause);
    }
  }

  apply(): void {
    // Nothing is told of it.
  }

  /** Changes it; rejects with the server's problem. */
  async change(change: ProfileChange): Promise<void> {
    const own = ++this.#changes;
    this.#moved += 1;
    try {
      const found = await peopleApi.changeProfile(change);
      if (own === this.#changes) this.#take(found);
    } finally {
      this.#moved += 1;
    }
  }

  /** A matter of taste: it holds at once, and again as before if the server can't keep it. */
  async prefer(change: Pick<ProfileChange, 'language' | 'theme' | 'notifications'>): Promise<void> {
    const before = this.#value;
    if (before) this.#take({ ...before, ...change } as Profile);
    try {
      await this.change(change);
    } catch (cause) {
      if (session.ended(cause)) return;
      if (before) this.#take(before);
      toasts.show({ text: problemText(i18n.t, cause), tone: 'bad' });
    }
  }

  #take(profile: Profile): void {
    this.#value = profile;
    i18n.follow(profile.language);
    if (theme.choice !== profile.theme) theme.choice = profile.theme;
    heard.follow(profile.notifications);
  }
}

export const profile = new OwnProfile();
