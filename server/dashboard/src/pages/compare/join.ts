// Owns how the series of several devices share one axis of time: a gap of one stays a gap, and where another merely measures
// at other moments nothing is missing. Pure.
import { columnsOf } from '$lib/chart/columns';
import type { Series } from '$lib/api/types';

/** Null lifts the pen; undefined says that this device measures at other moments. */
export type Cell = number | null | undefined;
export type Joined = [number[], ...Cell[][]];

/** One column of averages for each, in their order; an absent series is an empty column. */
export function joined(all: readonly (Series | undefined)[], intervals: readonly number[] = []): Joined {
  const tables = all.map((series, i) => (series ? columnsOf(series, intervals[i] ?? 0).data : null));
  const times = [...new Set(tables.flatMap((table) => table?.[0] ?? []))].sort((a, b) => a - b);
  const place = new Map(times.map((time, i) => [time, i]));
  const columns = tables.map((table) => {
    const column: Cell[] = Array.from({ length: times.length });
    table?.[0].forEach((time, i) => {
      const at = place.get(time);
      if (at !== undefined) column[at] = table[3][i] ?? null;
    });
    widen(column);
    widen(column.reverse());
    return column.reverse();
  });
  return [times, ...columns];
}

/** A gap reaches to the next value of the same device: the moments of others within it are no bridge. */
function widen(column: Cell[]): void {
  for (let i = 1; i < column.length; i += 1)
    if (column[i] === undefined && column[i - 1] === null) column[i] = null;
}

/** The value of a column at a place of the axis: the nearest of its own within `reach` of the time, else null. */
export function valueAt(joinedColumns: Joined, column: number, index: number, reach: number): number | null {
  const [times] = joinedColumns;
  const values = joinedColumns[column + 1] as Cell[] | undefined;
  const time = times[index];
  if (!values || time === undefined) return null;
  let found: number | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  for (const step of [-1, 1]) {
    for (let i = step < 0 ? index : index + 1; i >= 0 && i < times.length; i += step) {
      const away = Math.abs((times[i] ?? 0) - time);
      if (away > reach || away >= nearest) break;
      const value = values[i];
      if (value === undefined) continue;
      [found, nearest] = [value, away];
      break;
    }
  }
  return found;
}

/** The readings that no line touches: nothing of the same device lies beside them. */
export function lonely(column: readonly Cell[]): number[] {
  const own = column.flatMap((value, i) => (value === undefined ? [] : [{ value, i }]));
  return own
    .filter(
      ({ value }, at) =>
        value !== null && (own[at - 1]?.value ?? null) === null && (own[at + 1]?.value ?? null) === null,
    )
    .map(({ i }) => i);
}
