// Owns the person's downloads of readings: how far the server is with each, asked once a second while one is under way.
import { readingsApi, type RunningExport } from '$lib/api/readings';
import { session } from '$lib/state/session.svelte';

const EACH_MS = 1_000;
/** A download that was just asked for may not be in the list at once. */
const PATIENCE = 5;
/** More the server does not make at a time. */
const MOST = 2;

export class Exports {
  all = $state.raw<readonly RunningExport[]>([]);
  readonly isFull: boolean = $derived(this.all.filter(({ state }) => state === 'running').length >= MOST);
  /** Those under way, and how the newest has ended: older ones say nothing of what is on the page. */
  readonly told = $derived(this.all.filter(({ state }, place) => state === 'running' || place === 0));
  #timer: ReturnType<typeof setTimeout> | undefined;
  #left = 0;
  #over = false;

  /** Asks until nothing is under way any more. */
  follow(): void {
    this.#left = PATIENCE;
    clearTimeout(this.#timer);
    void this.#look();
  }

  async stop(id: number): Promise<void> {
    try {
      await readingsApi.stopExport(id);
    } catch (cause) {
      if (session.ended(cause)) return;
      // The next look tells how it is.
    }
    this.follow();
  }

  /** The page is left. The downloads go on. */
  leave(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.all = await readingsApi.exports();
    } catch (cause) {
      if (session.ended(cause)) return;
      // It is asked again.
    }
    const running = this.all.some(({ state }) => state === 'running');
    this.#left = running ? PATIENCE : this.#left - 1;
    if (!this.#over && this.#left > 0) this.#timer = setTimeout(() => void this.#look(), EACH_MS);
  }
}
