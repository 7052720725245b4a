// Owns the question what a gap is: a pause much longer than the usual step between readings.
import type { Series } from '$lib/api/types';

/** Two neighbours further apart than this are not joined by a line. */
export function gapAfter(series: Pick<Series, 'time' | 'bucket_ms'>, intervalMs = 0): number {
  return Math.max(2.5 * Math.max(series.bucket_ms, usualStep(series.time)), 2.5 * intervalMs);
}

/** So many steps say it as well as all of them: nobody sorts a year of minutes for it. */
const ENOUGH = 2_000;

/** The median distance between neighbours: a few outages don't move it. */
function usualStep(times: readonly number[]): number {
  const every = Math.ceil(times.length / ENOUGH);
  const steps: number[] = [];
  for (let i = 1; i < times.length; i += every) steps.push((times[i] ?? 0) - (times[i - 1] ?? 0));
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}
