// Owns how live events change what is known: pure functions from old state to new. No screen, no network.
import type { Device, LatestReading, Reading, Series } from '$lib/api/types';

export type Latest = Readonly<Record<string, Reading>>;

/** The newer of two readings of one metric wins; a late arrival from a device's buffer changes nothing here. */
export function mergeLatest(latest: Latest, readings: readonly Reading[]): Latest {
  let merged: Record<string, Reading> | null = null;
  for (const reading of readings) {
    const known = (merged ?? latest)[reading.metric];
    if (known && known.time >= reading.time) continue;
    merged ??= { ...latest };
    merged[reading.metric] = reading;
  }
  return merged ?? latest;
}

/** The answer of /latest by device. */
export function groupLatest(readings: readonly LatestReading[]): Map<string, Reading[]> {
  const groups = new Map<string, Reading[]>();
  for (const { device, ...reading } of readings) {
    const group = groups.get(device);
    if (group) group.push(reading);
    else groups.set(device, [reading]);
  }
  return groups;
}

/** Puts live readings into the buckets of a series, the way the server would have. */
export function mergeSeries(series: Series, readings: readonly Reading[]): Series {
  const fitting = readings.filter((reading) => reading.metric === series.metric);
  if (fitting.length === 0) return series;
  const next: Series = {
    ...series,
    time: [...series.time],
    min: [...series.min],
    avg: [...series.avg],
    max: [...series.max],
    count: [...series.count],
    faults: [...series.faults],
  };
  for (const reading of fitting) add(next, reading);
  return next;
}

function add(series: Series, reading: Reading): void {
  // Buckets begin where the server let the first one begin.
  const phase = (series.time[0] ?? 0) % series.bucket_ms;
  const start = Math.floor((reading.time - phase) / series.bucket_ms) * series.bucket_ms + phase;
  const at = placeOf(series.time, start);
  if (series.time[at] !== start) {
    series.time.splice(at, 0, start);
    for (const column of [series.min, series.avg, series.max]) column.splice(at, 0, null);
    series.count.splice(at, 0, 0);
    series.faults.splice(at, 0, 0);
  }
  const { value } = reading;
  if (value === null) {
    series.faults[at] = (series.faults[at] ?? 0) + 1;
    return;
  }
  const count = series.count[at] ?? 0;
  series.min[at] = Math.min(series.min[at] ?? value, value);
  series.max[at] = Math.max(series.max[at] ?? value, value);
  series.avg[at] = ((series.avg[at] ?? 0) * count + value) / (count + 1);
  series.count[at] = count + 1;
}

/** Where a bucket is, or belongs. From the end, because live readings are nearly always the newest. */
function placeOf(times: readonly number[], start: number): number {
  let at = times.length;
  while (at > 0 && (times[at - 1] ?? 0) >= start) at -= 1;
  return at;
}

/** Drops the buckets that have left the window, so that a page left open for a week does not grow. */
export function trimSeries(series: Series, from: number): Series {
  const keep = series.time.findIndex((time) => time >= from);
  if (keep === 0 || series.time.length === 0) return series;
  const cut = <T>(column: readonly T[]): T[] => (keep < 0 ? [] : column.slice(keep));
  return {
    ...series,
    time: cut(series.time),
    min: cut(series.min),
    avg: cut(series.avg),
    max: cut(series.max),
    count: cut(series.count),
    faults: cut(series.faults),
  };
}

/** A live reading is a sign of life; what else is known of the device stays until it is told anew. */
export function seen(device: Device, at: number): Device {
  return device.last_seen !== null && device.last_seen >= at ? device : { ...device, last_seen: at };
}
