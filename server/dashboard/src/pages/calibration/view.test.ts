// Checks which screen a calibration shows, and what it says of the signal.
import type { CalibrationPoint, CalibrationRecord, CalibrationView } from '$lib/api/types';
import { kindOf } from '$lib/calibration/kinds';
import { describe, expect, it } from 'vitest';
import { slopesOf, yOf } from '../calibrations/trend';
import {
  EMPTY_TRACE,
  hasResult,
  isLost,
  isTaken,
  missing,
  problemOf,
  screenOf,
  signalOf,
  traced,
} from './view';

const ph = kindOf('ph');
const point = (nominal: number): CalibrationPoint => ({ nominal, millivolts: 1500 });
const view = (over: Partial<CalibrationView> = {}): CalibrationView => ({
  session: 'a',
  metric: 'ph',
  step: { is: 'waiting' },
  points: [],
  ...over,
});
const fit: CalibrationView['fit'] = {
  calibration: { kind: 'ph', zero_mv: 1500, acid_percent: 98, base_percent: 98 },
};
const two = [point(7), point(4)];

describe('the screen', () => {
  const known = { session: 'a', record: null, view: view(), replaced: false, reviewing: false };

  it('is the set-up until a session stands in the address', () => {
    expect(screenOf({ ...known, session: null }, ph)).toBe('setup');
    expect(screenOf({ ...known, view: null }, ph)).toBe('measure');
  });

  it('is the result only when the person wants it and there is one', () => {
    const done = view({ points: two, fit });
    expect(screenOf({ ...known, view: done }, ph)).toBe('measure');
    expect(screenOf({ ...known, view: done, reviewing: true }, ph)).toBe('result');
    expect(screenOf({ ...known, reviewing: true }, ph)).toBe('measure');
  });

  it('says that a session has ended, by itself or by another one, and a finished one by its record', () => {
    expect(screenOf({ ...known, view: view({ step: { is: 'ended' } }) }, ph)).toBe('ended');
    expect(screenOf({ ...known, replaced: true }, ph)).toBe('ended');
    const finished = view({ step: { is: 'finished', record: 'r' }, points: two, fit });
    expect(screenOf({ ...known, view: finished, replaced: true, reviewing: true }, ph)).toBe('result');
    expect(screenOf({ ...known, session: null, record: 'r' }, ph)).toBe('done');
  });
});

describe('the points', () => {
  it('yield a result, or a reason, once there are enough and none is waited for', () => {
    expect(missing(view({ points: [point(7)] }), ph)).toBe(1);
    expect(hasResult(view({ points: [point(7)] }), ph)).toBe(false);
    expect(hasResult(view({ points: two, problem: { code: 'slope', text: '' } }), ph)).toBe(true);
    expect(hasResult(view({ points: two, fit, step: { is: 'settling', nominal: 4 } }), ph)).toBe(false);
  });

  it('that are only too few yet are no problem', () => {
    const problem = { code: 'points', text: '1 points are not right' };
    expect(problemOf(view({ points: [point(7)], problem }), ph)).toBeUndefined();
    expect(problemOf(view({ points: two, problem }), ph)).toBe(problem);
  });

  it('are known by their label', () => {
    const taken = view({ points: [point(10.010000000000002)] });
    expect(isTaken(taken, 10.01)).toBe(true);
    expect(isTaken(taken, 10)).toBe(false);
  });
});

describe('the signal', () => {
  const live = { millivolts: 1500, spread: 0.2, settled: true, flags: '' };

  it('is steady, on its way, missing, or old', () => {
    expect(signalOf(view({ live }), 0)).toBe('settled');
    expect(signalOf(view({ live: { ...live, settled: false } }), 0)).toBe('settling');
    expect(signalOf(view(), 0)).toBe('none');
    expect(signalOf(null, 0)).toBe('none');
    expect(signalOf(view({ live }), 5_000)).toBe('silent');
  });

  it('of a session that is over ends, and of one that never began it ends sooner', () => {
    expect(isLost(view(), 10_000)).toBe(false);
    expect(isLost(view(), 30_000)).toBe(true);
    expect(isLost(null, 9_999)).toBe(false);
    expect(isLost(null, 10_000)).toBe(true);
  });

  it('leaves a trace of one minute', () => {
    let trace = EMPTY_TRACE;
    for (let at = 0; at <= 90_000; at += 1_000) trace = traced(trace, at / 1_000, at);
    expect(trace.time).toHaveLength(60);
    expect([trace.time[0], trace.avg.at(-1)]).toEqual([31_000, 90]);
    expect(EMPTY_TRACE.time).toHaveLength(0);
  });
});

describe('the trend of the slope', () => {
  const record = (at: number, percent: number | null, over: Partial<CalibrationRecord> = {}) =>
    ({
      at,
      health: percent === null ? null : { slope_percent: percent, offset_mv: 0 },
      undoes: null,
      undone_by: null,
      ...over,
    }) as CalibrationRecord;

  it('goes from the oldest to the newest, without what was taken back or took it back', () => {
    const dots = slopesOf([
      record(300, 94),
      record(250, 97, { undoes: 'x' }),
      record(200, 70, { undone_by: 'y' }),
      record(150, null),
      record(100, 98),
    ]);
    expect(dots.map(({ percent }) => percent)).toEqual([98, 94]);
    expect([dots[0]?.x, dots[1]?.x]).toEqual([8, 592]);
    expect(dots[1]?.y).toBeGreaterThan(dots[0]?.y ?? Infinity);
  });

  it('stays within its frame whatever the slope', () => {
    expect([yOf(50), yOf(150)]).toEqual([88, 8]);
    expect(slopesOf([record(1, 95)])[0]?.x).toBe(8);
  });
});
