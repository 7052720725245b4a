// Owns the fleet's average of a metric: over how many devices, its range and how the values lie in it. Pure.
// A failed, old or simulated value is no part of what the water is like; where all is simulated, that is said.
import type { Judged } from '$lib/state/roster.svelte';

const BINS = 24;

export interface Average {
  metric: string;
  unit: string;
  avg: number;
  min: { value: number; device: string };
  max: { value: number; device: string };
  /** Devices that the average is of. */
  count: number;
  /** All devices that measure it. */
  of: number;
  /** All of them are simulated: nothing here is water. */
  simulated: boolean;
  /** Simulated ones that were left out. */
  leftOut: number;
  /** How many devices lie in each part of the range, from its low end to its high one. */
  bins: readonly number[];
}

interface Measured {
  device: string;
  value: number;
  simulated: boolean;
}

/** Null while nobody measures it. */
export function averageOf(all: readonly Judged[], metric: string): Average | null {
  const values: Measured[] = [];
  let of = 0;
  let unit = '';
  for (const { name, device, latest, state, stale } of all) {
    const reading = latest[metric];
    if (!reading || state === 'revoked') continue;
    of += 1;
    unit ||= reading.unit;
    if (reading.value === null || state !== 'online' || stale.includes(metric)) continue;
    values.push({ device: name, value: reading.value, simulated: device.simulated });
  }
  const real = values.filter(({ simulated }) => !simulated);
  const counted = real.length > 0 ? real : values;
  const [first] = counted;
  if (!first) return null;
  let [min, max, sum] = [first, first, 0];
  for (const each of counted) {
    if (each.value < min.value) min = each;
    if (each.value > max.value) max = each;
    sum += each.value;
  }
  return {
    metric,
    unit,
    avg: sum / counted.length,
    min,
    max,
    count: counted.length,
    of,
    simulated: real.length === 0,
    leftOut: values.length - counted.length,
    bins: binned(counted, min.value, max.value),
  };
}

function binned(values: readonly Measured[], low: number, high: number): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const { value } of values) {
    const part = high > low ? (value - low) / (high - low) : 0.5;
    const at = Math.min(BINS - 1, Math.floor(part * BINS));
    bins[at] = (bins[at] ?? 0) + 1;
  }
  return bins;
}
