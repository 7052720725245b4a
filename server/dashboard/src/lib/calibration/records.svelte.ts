// Owns the calibrations of one device as the server has them, and what was recomputed: fetched, and fetched
// again when the device's calibrations in force have changed.
import { api } from '$lib/api/client';
import type { CalibrationRecord, Calibrations, LiveEvent, Revision } from '$lib/api/types';
import type { Follower } from '$lib/live/connection.svelte';

export class Records implements Follower {
  #answer = $state.raw<Calibrations | null>(null);
  revisions = $state.raw<readonly Revision[]>([]);
  failed = $state.raw<unknown>(null);
  /** What the last event said is in force. */
  #inForce = '';

  constructor(private readonly device: string) {}

  /** Newest first; null before the first answer. */
  get list(): readonly CalibrationRecord[] | null {
    return this.#answer?.calibrations ?? null;
  }

  record(id: string | null): CalibrationRecord | undefined {
    return this.list?.find((record) => record.id === id);
  }

  isInForce(record: CalibrationRecord): boolean {
    return this.#answer?.active[record.metric] === record.id;
  }

  async refresh(): Promise<void> {
    try {
      const [answer, revisions] = await Promise.all([
        api.calibrations(this.device),
        api.recomputations(this.device),
      ]);
      this.#answer = answer;
      this.revisions = revisions;
      this.failed = null;
    } catch (cause) {
      this.failed = cause;
      throw cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    for (const event of events) {
      if (event.type !== 'device' || event.device.name !== this.device) continue;
      const inForce = JSON.stringify(event.device.calibrations);
      if (inForce === this.#inForce) continue;
      this.#inForce = inForce;
      this.refresh().catch(() => undefined); // `failed` says it
    }
  }
}
