// Owns what puts thresholds back as they were: one change for all that had the same, since among many most had none. Pure.
import type { Target, Threshold, ThresholdInForce } from '$lib/api/alert-types';

export interface Before {
  target: Target;
  /** Its own, if it had one. */
  was: ThresholdInForce | null;
}

export interface Change {
  targets: Target[];
  threshold: Threshold | null;
  preset: string | null;
}

export function undoOf(before: readonly Before[]): Change[] {
  const changes = new Map<string, Change>();
  for (const { target, was } of before) {
    const [threshold, preset] = [was?.threshold ?? null, was?.preset ?? null];
    const key = JSON.stringify([threshold, preset]);
    const change = changes.get(key) ?? { targets: [], threshold, preset };
    change.targets.push(target);
    changes.set(key, change);
  }
  return [...changes.values()];
}
