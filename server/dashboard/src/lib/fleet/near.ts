// Owns the question how near a value is to a limit that it has not passed. Pure.
import type { Threshold, ThresholdInForce } from '$lib/api/alert-types';
import type { Judged } from '$lib/state/roster.svelte';
import type { Near } from './worst';

/** The part of the room between the limits that counts as near one. */
const PART = 0.1;

/** Null while the value is far from every limit, or beyond one: then an alert says so. */
export function nearOf(metric: string, value: number, threshold: Threshold): Near | null {
  const low = inner(threshold.low, Math.max);
  const high = inner(threshold.high, Math.min);
  const room = roomOf(low, high, threshold.hysteresis ?? 0);
  const sides = [
    low === null ? null : { side: 'low' as const, limit: low, away: value - low },
    high === null ? null : { side: 'high' as const, limit: high, away: high - value },
  ];
  let nearest: Near | null = null;
  for (const each of sides) {
    if (!each || !(each.away >= 0 && each.away < room)) continue;
    const left = each.away / room;
    if (!nearest || left < nearest.left)
      nearest = { metric, value, limit: each.limit, side: each.side, left };
  }
  return nearest;
}

/** The limit that is met first from within: the warning, where there is one. */
function inner(side: Threshold['low'], pick: (...values: number[]) => number): number | null {
  const values = [side?.warning, side?.critical].filter((value) => value !== null && value !== undefined);
  return values.length > 0 ? pick(...values) : null;
}

function roomOf(low: number | null, high: number | null, hysteresis: number): number {
  if (low !== null && high !== null) return (high - low) * PART;
  return Math.max(2 * hysteresis, Math.abs(low ?? high ?? 0) * (PART / 2));
}

/** What holds for a metric of a device: its own threshold, else its location's, else the fleet's. */
export type Holding = (judged: Judged, metric: string) => Threshold | undefined;

/** Looked up by key: each device asks for each of its metrics once a second. */
export function holdingOf(thresholds: readonly ThresholdInForce[]): Holding {
  const key = (scope: string, target: string, metric: string): string => `${scope}/${metric}/${target}`;
  const known = new Map(
    thresholds.map(({ scope, target, metric, threshold }) => [key(scope, target, metric), threshold]),
  );
  return ({ name, device }, metric) =>
    known.get(key('device', name, metric)) ??
    (device.location ? known.get(key('location', device.location, metric)) : undefined) ??
    known.get(key('fleet', '', metric));
}

/** The metric of a device that is nearest to one of its limits. */
export function nearestOf(judged: Judged, holding: Holding): Near | null {
  if (judged.state !== 'online') return null;
  let nearest: Near | null = null;
  for (const { metric, value } of Object.values(judged.latest)) {
    if (value === null || judged.stale.includes(metric)) continue;
    const threshold = holding(judged, metric);
    const near = threshold ? nearOf(metric, value, threshold) : null;
    if (near && (!nearest || near.left < nearest.left)) nearest = near;
  }
  return nearest;
}
