// Checks what is concluded about the whole fleet: averages, what is near a limit, who comes first, what is compared.
import type { ThresholdInForce } from '$lib/api/alert-types';
import { describe, expect, it } from 'vitest';
import { averageOf } from './average';
import { MOST, namesOf, PENS } from './compared';
import { judged } from './examples';
import { holdingOf, nearestOf, nearOf } from './near';
import { attention, needsOf, worstFirst } from './worst';

describe('the average of a metric', () => {
  it('is of present values alone: none that failed, is old, or is of a device that is gone', () => {
    const found = averageOf(
      [
        judged('pi-1', { values: { ph: 6 } }),
        judged('pi-2', { values: { ph: 8 } }),
        judged('pi-3', { values: { ph: null } }),
        judged('pi-4', { values: { ph: 1 }, stale: ['ph'] }),
        judged('pi-5', { values: { ph: 1 }, state: 'offline' }),
        judged('pi-6', { values: { ph: 1 }, state: 'revoked' }),
        judged('pi-7', { values: { temperature: 30 } }),
      ],
      'ph',
    );
    expect(found).toMatchObject({ avg: 7, count: 2, of: 5, unit: 'pH', simulated: false });
    expect(found?.min).toMatchObject({ value: 6, device: 'pi-1' });
    expect(found?.max).toMatchObject({ value: 8, device: 'pi-2' });
  });

  it('never mixes water with a simulation', () => {
    const simulated = { simulated: true };
    const mixed = averageOf(
      [judged('pi-1', { values: { ph: 6 } }), judged('pi-2', { values: { ph: 9 }, device: simulated })],
      'ph',
    );
    expect(mixed).toMatchObject({ avg: 6, count: 1, simulated: false, leftOut: 1 });
    const alone = averageOf([judged('pi-2', { values: { ph: 9 }, device: simulated })], 'ph');
    expect(alone).toMatchObject({ avg: 9, simulated: true, leftOut: 0 });
  });

  it('is none while nothing is measured: zero would be a number', () => {
    expect(averageOf([], 'ph')).toBeNull();
    expect(averageOf([judged('pi-3', { values: { ph: null } })], 'ph')).toBeNull();
  });

  it('puts every value into one part of its range, one value alone into the middle', () => {
    const sum = (bins: readonly number[] | undefined): number => (bins ?? []).reduce((a, b) => a + b, 0);
    const many = averageOf(
      [1, 2, 3, 10].map((ph, i) => judged(`pi-${i}`, { values: { ph } })),
      'ph',
    );
    expect(sum(many?.bins)).toBe(4);
    expect(many?.bins.at(-1)).toBe(1);
    const one = averageOf([judged('pi-1', { values: { ph: 7 } })], 'ph');
    expect(one?.bins[12]).toBe(1);
  });
});

describe('a value', () => {
  const both = { low: { warning: 6 }, high: { warning: 8 } };

  it('is near a limit within a tenth of the room between them', () => {
    expect(nearOf('ph', 7.9, both)).toMatchObject({ side: 'high', limit: 8 });
    expect(nearOf('ph', 6.1, both)).toMatchObject({ side: 'low', limit: 6 });
    expect(nearOf('ph', 7, both)).toBeNull();
  });

  it('beyond a limit is not near it: an alert says so', () => {
    expect(nearOf('ph', 8.01, both)).toBeNull();
    expect(nearOf('ph', 5.9, both)).toBeNull();
  });

  it('with one limit is near within a twentieth of it, and meets the warning before the critical one', () => {
    expect(nearOf('temperature', 29, { high: { warning: 30, critical: 33 } })).toMatchObject({ limit: 30 });
    expect(nearOf('temperature', 28, { high: { warning: 30, critical: 33 } })).toBeNull();
    expect(nearOf('temperature', 32, { high: { critical: 33 } })).toMatchObject({ limit: 33 });
  });

  it('is judged by the narrowest threshold, which counts as a whole', () => {
    const rule = (scope: string, target: string, low: number): ThresholdInForce =>
      ({
        scope,
        target,
        metric: 'ph',
        threshold: { low: { warning: low }, hysteresis: 0.1 },
      }) as ThresholdInForce;
    const holding = holdingOf([
      rule('fleet', '', 1),
      rule('location', 'Kolam', 2),
      rule('device', 'pi-1', 3),
    ]);
    const at = (name: string, location: string | null): number | null | undefined =>
      holding(judged(name, { device: { location } }), 'ph')?.low?.warning;
    expect([at('pi-1', 'Kolam'), at('pi-2', 'Kolam'), at('pi-3', null)]).toEqual([3, 2, 1]);
    expect(nearestOf(judged('pi-3', { values: { ph: 1.05 } }), holding)?.limit).toBe(1);
    expect(nearestOf(judged('pi-3', { values: { ph: 1.05 }, state: 'offline' }), holding)).toBeNull();
    expect(nearestOf(judged('pi-3', { values: { ph: 1.05 }, stale: ['ph'] }), holding)).toBeNull();
  });
});

describe('the worst first', () => {
  const near = { metric: 'ph', value: 7.9, limit: 8, side: 'high' as const, left: 0.2 };
  const all = [
    judged('calm'),
    judged('near'),
    judged('gone-today', { state: 'offline', device: { last_seen: 9e11 } }),
    judged('gone-long', { state: 'offline', device: { last_seen: 1e11 } }),
    judged('fault', { values: { ph: null } }),
    judged('critical', { alert: 'critical' }),
    judged('warned', { alert: 'warning' }),
    judged('old', { state: 'revoked', alert: 'critical' }),
    judged('never', { state: 'never', device: { last_seen: null } }),
  ];

  it('are critical alerts, failing probes, the longest silent, warnings, and what is near a limit', () => {
    const found = worstFirst(all, ({ name }) => (name === 'near' ? near : null));
    expect(found.map(({ judged: { name } }) => name)).toEqual([
      'critical',
      'fault',
      'gone-long',
      'gone-today',
      'warned',
      'near',
    ]);
  });

  it('say everything that holds, in the order of its weight', () => {
    expect(
      needsOf(judged('pi-1', { alert: 'critical', values: { ph: null }, stale: ['tds'] }), near),
    ).toEqual(['critical', 'fault', 'stale', 'near']);
  });

  it('leave the fault of a device that is gone aside: that it is gone says more', () => {
    expect(needsOf(judged('pi-1', { state: 'offline', values: { ph: null } }))).toEqual(['offline']);
  });

  it('are the order of the list, too, with what is history at its end', () => {
    const names = all.toSorted((a, b) => attention(a) - attention(b)).map(({ name }) => name);
    expect(names.slice(0, 5)).toEqual(['critical', 'fault', 'gone-long', 'gone-today', 'warned']);
    expect(names.slice(-2)).toEqual(['never', 'old']);
  });
});

describe('what is compared', () => {
  it('is each name once, and no more than can be told apart', () => {
    expect(namesOf('pi-1, pi-2,,pi-1')).toEqual(['pi-1', 'pi-2']);
    expect(namesOf(null)).toEqual([]);
    expect(namesOf(Array.from({ length: 20 }, (_, i) => `pi-${i}`).join())).toHaveLength(MOST);
  });

  it('is told apart without any colour: no two lines share dashes and marker', () => {
    expect(new Set(PENS.map(({ dash, marker }) => `${dash.join()} ${marker}`)).size).toBe(MOST);
  });
});
