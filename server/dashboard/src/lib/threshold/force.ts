// Owns the question which threshold holds: the narrowest counts as a whole, a device's own before its location's before
// the fleet's. Pure.
import type { Target, ThresholdInForce } from '$lib/api/alert-types';

export function exactly(
  all: readonly ThresholdInForce[],
  { scope, target }: Target,
  metric: string,
): ThresholdInForce | null {
  return all.find((each) => each.scope === scope && each.target === target && each.metric === metric) ?? null;
}

/** `location` is the device's, if it has one. */
export function holdingFor(
  all: readonly ThresholdInForce[],
  where: Target,
  metric: string,
  location: string | null,
): ThresholdInForce | null {
  const wider: Target[] = [where];
  if (where.scope === 'device' && location) wider.push({ scope: 'location', target: location });
  if (where.scope !== 'fleet') wider.push({ scope: 'fleet', target: '' });
  for (const each of wider) {
    const found = exactly(all, each, metric);
    if (found) return found;
  }
  return null;
}
