// Checks that charts and sparklines break at gaps, show faults, and never draw what was not measured.
import type { Series } from '$lib/api/types';
import { describe, expect, it } from 'vitest';
import { columnsOf, lonely, rangeOf, summaryOf } from './columns';
import { gapAfter } from './gaps';
import { spark, SPARK } from './spark';

function series(points: [time: number, value: number | null, faults?: number][], bucket_ms = 1_000): Series {
  const values = points.map(([, value]) => value);
  return {
    device: 'pi-1',
    metric: 'ph',
    unit: 'pH',
    bucket_ms,
    time: points.map(([time]) => time),
    min: values,
    avg: values,
    max: values,
    count: values.map((value) => (value === null ? 0 : 1)),
    faults: points.map(([, , faults]) => faults ?? 0),
  };
}

describe('a gap', () => {
  it('is a pause much longer than the usual step, not than a bucket', () => {
    // Buckets of a second, but a reading each ten: nothing is missing.
    const slow = series([
      [0, 1],
      [10_000, 1],
      [20_000, 1],
      [30_000, 1],
    ]);
    expect(gapAfter(slow)).toBe(25_000);
    expect(columnsOf(slow).data[0]).toHaveLength(4);
  });

  it('lifts the pen once', () => {
    const { data } = columnsOf(
      series([
        [0, 1],
        [1_000, 2],
        [2_000, 3],
        [60_000, 4],
        [61_000, 5],
      ]),
    );
    expect(data[0]).toEqual([0, 1_000, 2_000, 3_000, 60_000, 61_000]);
    expect(data[3]).toEqual([1, 2, 3, null, 4, 5]);
  });

  it('is not seen between two readings when the interval was set that long', () => {
    const two = series([
      [0, 1],
      [1_000, 1],
      [2_000, 1],
      [62_000, 1],
    ]);
    expect(columnsOf(two, 60_000).data[0]).toHaveLength(4);
  });
});

describe('a fault', () => {
  it('is a mark and a hole in the line', () => {
    const { data, faults } = columnsOf(
      series([
        [0, 1],
        [1_000, null, 2],
        [2_000, 1],
      ]),
    );
    expect(data[3]).toEqual([1, null, 1]);
    expect(faults).toEqual([{ time: 1_000, count: 2 }]);
  });
});

describe('the numbers of a range', () => {
  it('weigh buckets by their readings', () => {
    const weighted = {
      ...series([
        [0, 10],
        [1_000, 20],
      ]),
      count: [3, 1],
    };
    expect(summaryOf(weighted)).toEqual({ min: 10, avg: 12.5, max: 20 });
  });

  it('are absent when nothing was measured', () => {
    expect(summaryOf(series([[0, null, 4]]))).toBeNull();
  });
});

describe('a scale', () => {
  it('is never so narrow that noise looks like a storm', () => {
    const [low, high] = rangeOf(7, 7.01, 0.4);
    expect(high - low).toBeGreaterThanOrEqual(0.4);
  });

  it('does not reach below zero for what can not be negative', () => {
    expect(rangeOf(0, 1, 20)[0]).toBe(0);
    expect(rangeOf(-5, 1, 1)[0]).toBeLessThan(-5);
  });
});

it('finds the readings that no line would touch', () => {
  expect(lonely([1, null, 2, 3, null, 4], 0, 5)).toEqual([0, 5]);
  expect(lonely([null, 1, null], 0, 2)).toEqual([1]);
});

describe('a sparkline', () => {
  const span = { from: 0, to: 10_000 };

  it('is one stroke per run of readings', () => {
    const shape = spark(
      series([
        [0, 1],
        [1_000, 2],
        [8_000, 2],
        [9_000, 1],
      ]),
      span,
      0.1,
    );
    expect(shape.line.match(/M/g)).toHaveLength(2);
    expect(shape.dots).toEqual([]);
  });

  it('keeps to its box and to the time', () => {
    const shape = spark(
      series([
        [0, 1],
        [5_000, 3],
        [10_000, 2],
      ]),
      span,
      0.1,
    );
    expect(shape.line).toBe(`M0 ${SPARK.height - SPARK.pad}L50 ${SPARK.pad}L100 ${SPARK.height / 2}`);
  });

  it('shows a single reading as a dot and a fault as a tick', () => {
    const shape = spark(
      series([
        [0, 1],
        [4_000, null, 1],
        [9_000, 1],
      ]),
      span,
      0.1,
    );
    expect(shape.faults).toEqual([40]);
    expect(spark(series([[5_000, 1]]), span, 0.1).dots).toEqual([{ x: 50, y: 16, time: 5_000 }]);
  });

  it('of faults alone has no line', () => {
    expect(spark(series([[0, null, 1]]), span, 0.1)).toMatchObject({ line: '', area: '', faults: [0] });
  });
});
