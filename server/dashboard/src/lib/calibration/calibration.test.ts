// Checks the judgement on electrodes, and how calibrations are written by language.
import type { Calibration } from '$lib/api/types';
import { formatAgo } from '$lib/format/time';
import { en } from '$lib/i18n/en';
import { id } from '$lib/i18n/id';
import { describe, expect, it } from 'vitest';
import { judge } from './health';
import { BUFFERS, inForce, kindOf } from './kinds';
import { factsOf, nominalLabel, pointParts } from './outcome';

describe('an electrode', () => {
  it('is good until its slope or its offset is near the end', () => {
    expect(judge({ slope_percent: 96, offset_mv: -4 })).toBe('good');
    expect(judge({ slope_percent: 90, offset_mv: 20 })).toBe('good');
    expect(judge({ slope_percent: 89.9, offset_mv: 0 })).toBe('worn');
    expect(judge({ slope_percent: 99, offset_mv: -20.1 })).toBe('worn');
  });
});

describe('a metric', () => {
  it('takes as many points as the device does', () => {
    expect(kindOf('ph')).toMatchObject({ least: 2, most: 3 });
    expect(kindOf('tds')).toMatchObject({ least: 1, most: 1, unit: 'µS/cm' });
    expect(kindOf('volume')).toMatchObject({ least: 1, most: 2, unit: 'm' });
    expect(kindOf('turbidity')).toMatchObject({ is: 'linear', unit: '' });
    for (const buffers of Object.values(BUFFERS)) expect(buffers).toHaveLength(kindOf('ph').most);
  });

  it('is calibrated together with the one that comes from the same probe', () => {
    expect(inForce({ ec: 'E' }, 'tds')).toBe('E');
    expect(inForce({ ec: 'E', tds: 'T' }, 'tds')).toBe('T');
    expect(inForce({ ec: 'E' }, 'ph')).toBeUndefined();
  });
});

describe('a result', () => {
  const ph: Calibration = { kind: 'ph', zero_mv: 1490, acid_percent: 96.24, base_percent: 96.24 };
  const health = { slope_percent: 96.24, offset_mv: -0.04 };
  const values = (...args: Parameters<typeof factsOf>) =>
    factsOf(...args).map(({ value, unit }) => value + unit);

  it('of two points has one slope, of three points two more', () => {
    expect(values(id, 'id-ID', 'ph', ph, health)).toEqual(['96,2%', '0,0mV']);
    const three = { ...ph, base_percent: 93 };
    expect(values(en, 'en-GB', 'ph', three, health)).toEqual(['96.2%', '0.0mV', '96.2%', '93.0%']);
  });

  it('of other probes is a factor, or a shift with its unit and sign', () => {
    expect(values(id, 'id-ID', 'tds', { kind: 'cell', k: 1.0342 }, null)).toEqual(['1,034']);
    const shift: Calibration = { kind: 'linear', slope: 1, offset: 0.314 };
    expect(values(id, 'id-ID', 'temperature', shift, null)).toEqual(['+0,31°C']);
    const line: Calibration = { kind: 'linear', slope: 1.01234, offset: -0.0214 };
    expect(values(en, 'en-GB', 'volume', line, null)).toEqual(['1.0123', '-0.0214m']);
  });

  it('of an undo of the first calibration is none', () => {
    expect(factsOf(en, 'en-GB', 'ph', null, null)).toEqual([]);
  });
});

describe('a point', () => {
  it('is called as the bottle is labelled', () => {
    expect(nominalLabel(7, 'ph', 'id-ID')).toBe('7,00');
    expect(nominalLabel(10.01, 'ph', 'en-GB')).toBe('10.01');
    expect(nominalLabel(1413, 'ec', 'id-ID')).toBe('1.413\u00a0µS/cm');
    expect(nominalLabel(0.425, 'level', 'id-ID')).toBe('0,425\u00a0m');
  });

  it('says its temperature only if there was one', () => {
    expect(pointParts({ nominal: 7, millivolts: 1502.31, celsius: 24.8 }, 'id-ID')).toEqual([
      '1.502,3\u00a0mV',
      '24,8\u00a0°C',
    ]);
    expect(pointParts({ nominal: 7, millivolts: 1502.31, celsius: null }, 'id-ID')).toHaveLength(1);
  });
});

it('says how long ago something was as people do', () => {
  const now = 1e12;
  const day = 86_400_000;
  expect(formatAgo(now - 12 * day, now, 'id-ID')).toBe('12 hari yang lalu');
  expect(formatAgo(now - day, now, 'en-GB')).toBe('yesterday');
  expect(formatAgo(now + 5_000, now, 'en-GB')).toBe('now');
});
