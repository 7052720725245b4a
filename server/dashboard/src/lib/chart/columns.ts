// Owns how a series becomes what the plot draws: columns that break at gaps, and its summary in numbers.
import type { Series } from '$lib/api/types';
import { gapAfter } from './gaps';

type Cell = number | null;

export interface Columns {
  /** Time, min, max, avg: the order in which the plot takes them. */
  data: [number[], Cell[], Cell[], Cell[]];
  /** When readings failed, and how many. */
  faults: readonly { time: number; count: number }[];
}

export function columnsOf(series: Series, intervalMs = 0): Columns {
  const limit = gapAfter(series, intervalMs);
  const [time, min, max, avg]: Columns['data'] = [[], [], [], []];
  const faults: { time: number; count: number }[] = [];
  series.time.forEach((at, i) => {
    const previous = series.time[i - 1];
    if (previous !== undefined && at - previous > limit) {
      // One empty point is enough to lift the pen.
      time.push(previous + series.bucket_ms);
      for (const column of [min, max, avg]) column.push(null);
    }
    time.push(at);
    min.push(series.min[i] ?? null);
    max.push(series.max[i] ?? null);
    avg.push(series.avg[i] ?? null);
    const failed = series.faults[i] ?? 0;
    if (failed > 0) faults.push({ time: at, count: failed });
  });
  return { data: [time, min, max, avg], faults };
}

export interface Summary {
  min: number;
  avg: number;
  max: number;
}

/** The numbers of a whole range; null when nothing was measured in it. */
export function summaryOf(series: Series): Summary | null {
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  series.avg.forEach((avg, i) => {
    if (avg === null) return;
    const weight = series.count[i] ?? 1;
    min = Math.min(min, series.min[i] ?? avg);
    max = Math.max(max, series.max[i] ?? avg);
    sum += avg * weight;
    count += weight;
  });
  return count > 0 ? { min, avg: sum / count, max } : null;
}

/** The points that no line touches, because both neighbours are missing. */
export function lonely(column: ArrayLike<Cell | undefined>, from: number, to: number): number[] {
  const found: number[] = [];
  const missing = (i: number): boolean => column[i] === null || column[i] === undefined;
  for (let i = from; i <= to; i += 1) if (!missing(i) && missing(i - 1) && missing(i + 1)) found.push(i);
  return found;
}

/** A scale that is never narrower than what matters for the metric, with some air above and below. */
export function rangeOf(low: number, high: number, leastSpan: number): [number, number] {
  const span = Math.max(high - low, leastSpan);
  const middle = (low + high) / 2;
  const floor = middle - span * 0.58;
  // A quantity that can't be negative is not drawn as if it could.
  return [low >= 0 ? Math.max(0, floor) : floor, middle + span * 0.58];
}
