// Owns how the days of a week become one number. Pure.
import type { Availability } from '$lib/api/alert-types';

export interface Week {
  /** Null while nothing is known of it. */
  percent: number | null;
  outages: number;
  outMs: number;
}

/** Each day weighs as much as is known of it. */
export function weekOf(days: readonly Availability[]): Week {
  let [known, there, outages, outMs] = [0, 0, 0, 0];
  for (const { from, to, availability_percent, unknown_ms, out_ms, outages: count } of days) {
    outages += count;
    outMs += out_ms;
    if (availability_percent === null) continue;
    const weight = Math.max(0, to - from - unknown_ms);
    known += weight;
    there += (weight * availability_percent) / 100;
  }
  return { percent: known > 0 ? (100 * there) / known : null, outages, outMs };
}
