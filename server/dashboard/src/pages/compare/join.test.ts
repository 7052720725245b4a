// Checks that lines of several devices share one axis without inventing a value or hiding a gap.
import type { Series } from '$lib/api/types';
import { describe, expect, it } from 'vitest';
import { joined, lonely, valueAt } from './join';

function series(device: string, points: [time: number, value: number | null][], bucket_ms = 1_000): Series {
  const values = points.map(([, value]) => value);
  return {
    device,
    metric: 'ph',
    unit: 'pH',
    bucket_ms,
    time: points.map(([time]) => time),
    min: values,
    avg: values,
    max: values,
    count: values.map((value) => (value === null ? 0 : 1)),
    faults: values.map((value) => (value === null ? 1 : 0)),
  };
}

const steady = series('pi-1', [
  [0, 1],
  [1_000, 2],
  [2_000, 3],
  [3_000, 4],
]);

describe('series of several devices', () => {
  it('share an axis: where one measures at other moments nothing is missing', () => {
    const [times, a, b] = joined([
      steady,
      series('pi-2', [
        [500, 7],
        [1_500, 8],
        [2_500, 9],
      ]),
    ]);
    expect(times).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500, 3_000]);
    expect(a).toEqual([1, undefined, 2, undefined, 3, undefined, 4]);
    expect(b).toEqual([undefined, 7, undefined, 8, undefined, 9, undefined]);
  });

  it('keep the gap of each as a gap, and a fault as no number', () => {
    const broken = series('pi-2', [
      [0, 7],
      [1_000, 7],
      [2_000, 7],
      [60_000, 8],
      [61_000, null],
      [62_000, 8],
    ]);
    const [times, , column] = joined([steady, broken]);
    expect(column?.[times.indexOf(3_000)]).toBeNull();
    expect(column?.[times.indexOf(61_000)]).toBeNull();
    expect(column?.[times.indexOf(62_000)]).toBe(8);
  });

  it('let nobody else bridge a gap: it is none of another device’s moments', () => {
    const often = series(
      'pi-1',
      Array.from({ length: 20 }, (_, i): [number, number] => [i * 1_000, i]),
    );
    const away = series('pi-2', [
      [500, 7],
      [1_500, 7],
      [2_500, 7],
      [15_500, 8],
    ]);
    const [times, , column] = joined([often, away]);
    const within = (column ?? []).filter((_, i) => (times[i] ?? 0) > 2_500 && (times[i] ?? 0) < 15_500);
    expect(within.length).toBeGreaterThan(10);
    expect(new Set(within)).toEqual(new Set([null]));
  });

  it('leave room for one that has nothing', () => {
    expect(joined([undefined, series('pi-2', [[0, 7]])])).toEqual([[0], [undefined], [7]]);
    expect(joined([])).toEqual([[]]);
  });
});

describe('the value under the cursor', () => {
  const data = joined([
    steady,
    series('pi-2', [
      [500, 7],
      [1_500, null],
      [2_500, 9],
    ]),
  ]);

  it('is the nearest of its own device', () => {
    expect(valueAt(data, 1, data[0].indexOf(0), 1_500)).toBe(7);
    expect(valueAt(data, 0, data[0].indexOf(2_000), 1_500)).toBe(3);
  });

  it('is none over a gap, and none from far away', () => {
    expect(valueAt(data, 1, data[0].indexOf(1_500), 400)).toBeNull();
    expect(valueAt(data, 1, data[0].indexOf(0), 100)).toBeNull();
    expect(valueAt(data, 5, 0, 1_000)).toBeNull();
  });
});

it('a reading between two gaps is a dot, whoever else measures beside it', () => {
  expect(lonely([1, undefined, null, undefined, 2, undefined, null, 3, 4])).toEqual([0, 4]);
});
