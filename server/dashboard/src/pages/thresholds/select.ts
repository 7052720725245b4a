// Owns which thresholds are listed and in which order: the widest first, then by name. Pure.
import type { Scope, ThresholdInForce } from '$lib/api/alert-types';
import { byName } from '$lib/state/order';

const WIDTH: Record<Scope, number> = { fleet: 0, location: 1, device: 2 };

export function found(all: readonly ThresholdInForce[], search: string): ThresholdInForce[] {
  const wanted = search.trim().toLowerCase();
  return all
    .filter(({ scope, target }) => !wanted || (scope !== 'fleet' && target.toLowerCase().includes(wanted)))
    .toSorted((a, b) => WIDTH[a.scope] - WIDTH[b.scope] || byName(a.target, b.target));
}
