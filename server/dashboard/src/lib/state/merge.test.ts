// Checks how live events change what is known.
import type { Reading, Series } from '$lib/api/types';
import { device as deviceOf, reading as readingOf } from '$lib/fleet/examples';
import { describe, expect, it } from 'vitest';
import { faultsOf, intervalOf, isStale, remarksOf, stateAt } from './health';
import { groupLatest, mergeLatest, mergeSeries, seen, trimSeries } from './merge';

const reading = ({ metric = 'ph', value = 7, ...over }: Partial<Reading> = {}): Reading =>
  readingOf(metric, value, { unit: 'pH', fault: null, ...over });

const series = (over: Partial<Series> = {}): Series => ({
  device: 'pi-1',
  metric: 'ph',
  unit: 'pH',
  bucket_ms: 1_000,
  time: [10_000, 11_000],
  min: [6.9, 7],
  avg: [7, 7.1],
  max: [7.1, 7.2],
  count: [2, 1],
  faults: [0, 0],
  ...over,
});

const device = deviceOf({ simulated: true, probes: { ph: 'ok', tds: 'no_answer' } });

describe('the latest readings', () => {
  it('take a newer one and keep the others', () => {
    const before = { ph: reading(), tds: reading({ metric: 'tds', value: 800 }) };
    const after = mergeLatest(before, [reading({ time: 11_000, value: 7.2 })]);
    expect(after.ph?.value).toBe(7.2);
    expect(after.tds).toBe(before.tds);
    expect(before.ph.value).toBe(7);
  });

  it('are not put back by what a device sends late from its buffer', () => {
    const before = { ph: reading({ time: 20_000 }) };
    expect(mergeLatest(before, [reading({ time: 12_000, value: 3 })])).toBe(before);
  });

  it('take the newest of a batch in any order', () => {
    const after = mergeLatest({}, [
      reading({ time: 3, value: 3 }),
      reading({ time: 5, value: 5 }),
      reading({ time: 4, value: 4 }),
    ]);
    expect(after.ph?.value).toBe(5);
  });

  it('of a failed probe hold a fault and no number', () => {
    const after = mergeLatest({ ph: reading() }, [
      reading({ time: 11_000, value: null, fault: 'no_answer' }),
    ]);
    expect(after.ph).toMatchObject({ value: null, fault: 'no_answer' });
  });

  it('are grouped by device', () => {
    const groups = groupLatest([
      { ...reading(), device: 'pi-1' },
      { ...reading({ metric: 'tds' }), device: 'pi-1' },
    ]);
    expect(groups.get('pi-1')?.map((each) => each.metric)).toEqual(['ph', 'tds']);
    expect(groups.get('pi-1')?.[0]).not.toHaveProperty('device');
  });
});

describe('a series', () => {
  it('lets a live reading widen the bucket that it falls into', () => {
    const after = mergeSeries(series(), [reading({ time: 11_400, value: 7.7 })]);
    expect(after.time).toEqual([10_000, 11_000]);
    expect(after.max).toEqual([7.1, 7.7]);
    expect(after.avg[1]).toBeCloseTo(7.4);
    expect(after.count).toEqual([2, 2]);
  });

  it('gets a new bucket at its end, and leaves a gap where nothing came', () => {
    const after = mergeSeries(series(), [reading({ time: 15_300, value: 6 })]);
    expect(after.time).toEqual([10_000, 11_000, 15_000]);
    expect(after.min.at(-1)).toBe(6);
  });

  it('gets a bucket in its middle for a late reading', () => {
    const after = mergeSeries(series({ time: [10_000, 13_000] }), [reading({ time: 11_999, value: 5 })]);
    expect(after.time).toEqual([10_000, 11_000, 13_000]);
    expect(after.avg).toEqual([7, 5, 7.1]);
  });

  it('counts a fault and draws no number for it', () => {
    const after = mergeSeries(series(), [reading({ time: 12_000, value: null, fault: 'no_answer' })]);
    expect(after.avg.at(-1)).toBeNull();
    expect(after.min.at(-1)).toBeNull();
    expect(after.faults).toEqual([0, 0, 1]);
    expect(after.count).toEqual([2, 1, 0]);
  });

  it('keeps the beginning of its buckets when they are not at round times', () => {
    const after = mergeSeries(series({ time: [10_250, 11_250] }), [reading({ time: 12_300 })]);
    expect(after.time.at(-1)).toBe(12_250);
  });

  it('ignores other metrics, and is not changed in place', () => {
    const before = series();
    expect(mergeSeries(before, [reading({ metric: 'tds' })])).toBe(before);
    mergeSeries(before, [reading({ time: 12_000 })]);
    expect(before.time).toHaveLength(2);
  });

  it('loses what has left the window, in every column', () => {
    const after = trimSeries(series(), 10_500);
    expect(after).toMatchObject({
      time: [11_000],
      min: [7],
      avg: [7.1],
      max: [7.2],
      count: [1],
      faults: [0],
    });
    expect(trimSeries(series(), 99_000).time).toEqual([]);
  });
});

describe('the health of a device', () => {
  it('turns offline by itself after ninety seconds of silence', () => {
    expect(stateAt(device, 140_000)).toBe('online');
    expect(stateAt(device, 140_001)).toBe('offline');
    expect(stateAt(seen(device, 100_000), 140_001)).toBe('online');
    expect(stateAt({ ...device, state: 'revoked' }, 140_001)).toBe('revoked');
  });

  it('believes a reading more than the status', () => {
    expect(faultsOf(device, {})).toEqual(['tds']);
    expect(faultsOf(device, { tds: reading({ metric: 'tds' }) })).toEqual([]);
    expect(faultsOf(device, { ph: reading({ value: null, fault: 'rail_low' }) })).toEqual(['tds', 'ph']);
  });

  it('calls a value old after three of its intervals', () => {
    expect(isStale(reading(), 60_000, 189_000)).toBe(false);
    expect(isStale(reading(), 60_000, 191_000)).toBe(true);
    expect(isStale(reading(), 100, 39_000)).toBe(false);
  });

  it('says an unsynchronised clock as a remark, and the simulation only on the device', () => {
    expect(remarksOf(reading({ flags: ['simulated', 'stuck'], clock: 'unsynced' }))).toEqual([
      'stuck',
      'clock',
    ]);
  });
});

describe('a device without a board', () => {
  const well = deviceOf({ serial: null, silent_after_s: 3_600, last_seen: 0 });

  it('is offline after the silence that it is allowed, not after that of an agent', () => {
    expect(stateAt(well, 3_600_000)).toBe('online');
    expect(stateAt(well, 3_600_001)).toBe('offline');
  });

  it('has values that are old after that silence', () => {
    const value = reading({ time: 0 });
    expect(isStale(value, intervalOf(well, 'ph'), 3_600_000)).toBe(false);
    expect(isStale(value, intervalOf(well, 'ph'), 3_600_001)).toBe(true);
  });
});
