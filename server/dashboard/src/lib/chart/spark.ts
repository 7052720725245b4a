// Owns the geometry of a sparkline: lines that break at gaps, ticks where readings failed. No colours, no DOM.
import type { Series } from '$lib/api/types';
import { gapAfter } from './gaps';

export const SPARK = { width: 100, height: 32, pad: 3 } as const;

export interface Spark {
  line: string;
  area: string;
  /** Single readings between two gaps, which no line would show. */
  dots: readonly { x: number; y: number }[];
  faults: readonly number[];
}

interface Point {
  x: number;
  y: number;
  time: number;
}

export function spark(series: Series, span: { from: number; to: number }, leastSpan: number): Spark {
  const { width, height, pad } = SPARK;
  const values = series.avg.filter((value) => value !== null);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = Math.max(high - low, leastSpan);
  const floor = (low + high) / 2 - room / 2;
  const duration = Math.max(1, span.to - span.from);
  const xOf = (time: number): number => round(Math.max(0, ((time - span.from) / duration) * width));
  const yOf = (value: number): number => round(height - pad - ((value - floor) / room) * (height - 2 * pad));

  const limit = gapAfter(series);
  const runs: Point[][] = [];
  const faults: number[] = [];
  series.time.forEach((time, i) => {
    if (time < span.from - series.bucket_ms) return;
    if ((series.faults[i] ?? 0) > 0) faults.push(xOf(time));
    const value = series.avg[i];
    if (value === null || value === undefined) return;
    const run = runs.at(-1);
    const previous = run?.at(-1);
    const point = { x: xOf(time), y: yOf(value), time };
    if (run && previous && time - previous.time <= limit) run.push(point);
    else runs.push([point]);
  });

  const lines = runs.filter((run) => run.length > 1);
  return {
    line: lines.map(draw).join(''),
    area: lines
      .map((run) => `${draw(run)}L${run.at(-1)?.x ?? 0} ${height}L${run[0]?.x ?? 0} ${height}Z`)
      .join(''),
    dots: runs.filter((run) => run.length === 1).flat(),
    faults,
  };
}

const draw = (run: readonly Point[]): string =>
  run.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('');
const round = (number: number): number => Math.round(number * 100) / 100;
