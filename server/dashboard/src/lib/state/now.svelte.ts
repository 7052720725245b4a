// Owns the ticking present: ages on the screen grow by it once a second, all together.
import { serverNow } from '$lib/format/server-clock';

class Now {
  #value = $state(serverNow());

  constructor() {
    setInterval(() => this.tick(), 1_000);
    // A phone that wakes up shows true ages at once, not a second later.
    document.addEventListener('visibilitychange', () => this.tick());
  }

  get value(): number {
    return this.#value;
  }

  tick(): void {
    if (document.visibilityState === 'visible') this.#value = serverNow();
  }
}

export const now = new Now();
