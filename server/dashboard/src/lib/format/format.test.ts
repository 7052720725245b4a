// Checks how numbers, ages and durations are written in both languages.
import { describe, expect, it } from 'vitest';
import { formatCount, formatValue, parseNumber, parseSigned, readings } from './number';
import { noteServerDate, serverNow } from './server-clock';
import { ageOf, formatAge, formatDuration, formatTick } from './time';

const flat = (text: string): string => text.replace(/\u00a0|\u202f/g, ' ');

describe('values', () => {
  it('have a comma in Indonesian and a point in English', () => {
    expect(formatValue(7.024, 'ph', 'id-ID')).toBe('7,02');
    expect(formatValue(7.024, 'ph', 'en-GB')).toBe('7.02');
    expect(formatCount(18_422, 'id-ID')).toBe('18.422');
  });

  it('have the digits of their metric, and none once they are large', () => {
    expect(formatValue(840.4, 'tds', 'en-GB')).toBe('840');
    expect(formatValue(27.44, 'temperature', 'en-GB')).toBe('27.4');
    expect(formatValue(1_234_567.8, 'volume', 'id-ID')).toBe('1.234.568');
  });

  it('are never minus zero', () => {
    expect(formatValue(-0.004, 'ph', 'id-ID')).toBe('0,00');
  });
});

describe('typed numbers', () => {
  it('are read with comma or point', () => {
    expect(parseNumber(' 2,5 ', 'id-ID')).toBe(2.5);
    expect(parseNumber('2.5', 'id-ID')).toBe(2.5);
  });

  it('that could be thousands or a fraction are nobody’s guess', () => {
    expect(parseNumber('1.500', 'id-ID')).toBeNull();
    expect(parseSigned('−1.500', 'id-ID')).toBeNull();
    expect(readings(' 1.500 ', 'id-ID')).toEqual({ whole: 1500, part: 1.5 });
    expect(readings('12,250', 'en-GB')).toEqual({ whole: 12_250, part: 12.25 });
  });

  it('with the decimal sign of the language, or too few or many digits for thousands, are in no doubt', () => {
    expect(parseNumber('1,500', 'id-ID')).toBe(1.5);
    expect(parseNumber('1.500', 'en-GB')).toBe(1.5);
    expect(parseNumber('7.2', 'id-ID')).toBe(7.2);
    expect(parseNumber('0.500', 'id-ID')).toBe(0.5);
    expect(parseNumber('1.4130', 'id-ID')).toBe(1.413);
    expect(parseNumber('1500', 'id-ID')).toBe(1500);
  });

  it('are refused when they are none', () => {
    for (const text of ['', '-1', '1e3', 'abc', '1,2,3', '.', 'Infinity'])
      expect(parseNumber(text, 'id-ID'), text).toBeNull();
  });
});

describe('ages', () => {
  it('do not tick below ten seconds', () => {
    expect(ageOf(1_000, 10_999)).toEqual({ fresh: true });
    expect(ageOf(1_000, 11_000)).toEqual({ fresh: false, count: 10, unit: 'second' });
  });

  it('of the future are fresh: clocks differ a little', () => {
    expect(ageOf(5_000, 1_000)).toEqual({ fresh: true });
  });

  it('use their largest whole unit', () => {
    const at = (ms: number): string => {
      const age = ageOf(0, ms);
      return age.fresh ? 'fresh' : flat(formatAge(age, 'id-ID'));
    };
    expect(at(59_999)).toBe('59 dtk');
    expect(at(60_000)).toBe('1 mnt');
    expect(at(3_599_999)).toBe('59 mnt');
    expect(at(86_400_000 * 3)).toBe('3 hr');
  });
});

describe('durations', () => {
  it('take the unit that needs no fraction', () => {
    expect(flat(formatDuration(1_500, 'id-ID'))).toBe('1,5 dtk');
    expect(flat(formatDuration(90_000, 'en-GB'))).toBe('90 secs');
    expect(flat(formatDuration(300_000, 'id-ID'))).toBe('5 mnt');
    expect(flat(formatDuration(86_400_000, 'en-GB', 'long'))).toBe('1 day');
  });
});

describe('the time axis', () => {
  const noon = new Date(2026, 10, 21, 12, 30, 15).getTime();
  it('shows seconds, minutes or days as the step asks', () => {
    expect(formatTick(noon, 5_000, 'id-ID')).toBe('12.30.15');
    expect(formatTick(noon, 300_000, 'en-GB')).toBe('12:30');
    expect(formatTick(noon, 86_400_000, 'en-GB')).toBe('21 Nov');
    expect(formatTick(new Date(2026, 10, 21).getTime(), 10_800_000, 'en-GB')).toBe('21 Nov');
  });
});

describe("the server's clock", () => {
  it('corrects a browser whose clock is wrong, and leaves one alone that is right within its seconds', () => {
    noteServerDate('Sat, 21 Nov 2026 12:02:00 GMT', Date.UTC(2026, 10, 21, 12, 0, 0));
    expect(serverNow(Date.UTC(2026, 10, 21, 12, 0, 1))).toBe(Date.UTC(2026, 10, 21, 12, 2, 1) + 500);
    noteServerDate('Sat, 21 Nov 2026 12:00:01 GMT', Date.UTC(2026, 10, 21, 12, 0, 0));
    expect(serverNow(1_000)).toBe(1_000);
    noteServerDate(null, 0);
    noteServerDate('nonsense', 0);
    expect(serverNow(1_000)).toBe(1_000);
  });
});
