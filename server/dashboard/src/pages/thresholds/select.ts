// Owns which thresholds are listed and in which order (the widest first, then by name), and which devices are offered. Pure.
import type { Scope, ThresholdInForce } from '$lib/api/alert-types';
import type { Device } from '$lib/api/types';
import { byName } from '$lib/state/order';

const WIDTH: Record<Scope, number> = { fleet: 0, location: 1, device: 2 };

export function found(all: readonly ThresholdInForce[], search: string): ThresholdInForce[] {
  const wanted = search.trim().toLowerCase();
  return all
    .filter(({ scope, target }) => !wanted || (scope !== 'fleet' && target.toLowerCase().includes(wanted)))
    .toSorted((a, b) => WIDTH[a.scope] - WIDTH[b.scope] || byName(a.target, b.target));
}

type Offered = Pick<Device, 'name' | 'location' | 'state'>;

/** Those that the search and the location leave, by name. One that is decommissioned only if it is chosen already. */
export function offered<D extends Offered>(
  all: readonly D[],
  chosen: readonly string[],
  search: string,
  location: string,
): D[] {
  const wanted = search.trim().toLowerCase();
  return all
    .filter(({ name, state }) => state !== 'revoked' || chosen.includes(name))
    .filter((device) => !location || device.location?.trim() === location)
    .filter(({ name, location: at }) => `${name} ${at ?? ''}`.toLowerCase().includes(wanted))
    .toSorted((a, b) => byName(a.name, b.name));
}
