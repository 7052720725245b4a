// Owns the judgement on the whole fleet: who is there, in the order of names, judged once a second and when a device
// comes, goes or changes its state. Lists are drawn from it: with thousands of devices none may follow each reading.
import type { Severity } from '$lib/api/alert-types';
import type { Device, DeviceState } from '$lib/api/types';
import { untrack } from 'svelte';
import { alerts } from './alerts.svelte';
import { distinct } from './distinct';
import { fleet, type Entry } from './fleet.svelte';
import { staleOf } from './health';
import type { Latest } from './merge';
import { now } from './now.svelte';
import { byName } from './order';

/** One device as it was when it was judged last. */
export interface Judged {
  readonly name: string;
  readonly device: Device;
  readonly latest: Latest;
  readonly state: DeviceState;
  /** The metrics whose last reading failed. */
  readonly faults: readonly string[];
  /** The metrics that have fallen silent although the device is connected. */
  readonly stale: readonly string[];
  /** The worst alert that is not over. */
  readonly alert: Severity | null;
}

/** The worst alert of each device that has any. */
function worstAlerts(): ReadonlyMap<string, Severity> {
  const found = new Map<string, Severity>();
  for (const { device, severity } of alerts.active.values())
    if (device && found.get(device) !== 'critical') found.set(device, severity);
  return found;
}

function judged(name: string, entry: Entry, alert: Severity | null): Judged {
  const { device, latest, state } = entry;
  return {
    name,
    device,
    latest,
    state,
    faults: entry.faults,
    stale: staleOf(device, state, latest, now.value),
    alert,
  };
}

class Roster {
  readonly #worst = $derived(worstAlerts());

  /** Sorted anew only when a device comes or goes. */
  readonly #names: readonly string[] = $derived.by(() => {
    void fleet.version;
    return untrack(() => [...fleet.entries.keys()].sort(byName));
  });

  readonly all: readonly Judged[] = $derived.by(() => {
    void now.value;
    const [names, worst] = [this.#names, this.#worst];
    return untrack(() =>
      names.flatMap((name) => {
        const entry = fleet.entries.get(name);
        return entry ? [judged(name, entry, worst.get(name) ?? null)] : [];
      }),
    );
  });

  readonly locations: readonly string[] = $derived.by(() => {
    void fleet.version;
    return untrack(() => distinct([...fleet.entries.values()].map(({ device }) => device.location)));
  });

  /** What a choice of locations offers: the chosen one, too, even if no device is there (any more). */
  offered(chosen: string): readonly string[] {
    return chosen && !this.locations.includes(chosen) ? [chosen, ...this.locations] : this.locations;
  }
}

export const roster = new Roster();
