// Checks that times are those of the site, whatever the zone of the browser is.
import { afterEach, describe, expect, it } from 'vitest';
import { localInput, readInput } from './field';
import { formatDay, formatInstant, formatMonth, formatPeriod, formatShort, formatTick } from './time';
import { dayOf, instantOf, noteZone, siteZone, wallOf, zoneName } from './zone';

const flat = (text: string): string => text.replace(/\u00a0|\u202f|\u2009/g, ' ');
const at = (text: string): number => Date.parse(text);

afterEach(() => noteZone(undefined));

describe('times of the site', () => {
  it('stand in a field for date and time as the clock on the wall shows them, and lead back to their minute', () => {
    const night = at('2026-11-21T17:30:15Z');
    noteZone('Asia/Jakarta');
    expect(localInput(night)).toBe('2026-11-22T00:30');
    expect(readInput(localInput(night))).toBe(night - 15_000);
    expect(readInput('')).toBeNaN();
  });

  it('are written by its zone, with its name where they are written in full', () => {
    const night = at('2026-11-21T17:30:15Z');
    noteZone('Asia/Jakarta');
    expect(flat(formatInstant(night, 'id-ID'))).toBe('22 Nov 2026, 00.30.15 WIB');
    expect(flat(formatInstant(night, 'en-GB'))).toBe('22 Nov 2026, 00:30:15 WIB');
    expect(formatDay(night, 'en-GB')).toBe('22 Nov 2026');
    expect(formatMonth(at('2026-11-30T17:00:00Z'), 'id-ID')).toBe('Des');
    noteZone('UTC');
    expect(flat(formatInstant(night, 'en-GB'))).toBe('21 Nov 2026, 17:30:15 UTC');
    expect(flat(formatShort(night, 'id-ID'))).toBe('21 Nov, 17.30');
    noteZone('Asia/Jayapura');
    expect(flat(formatPeriod(night, night + 3_600_000, 'en-GB'))).toBe('22 Nov, 02:30–03:30');
  });

  it('begin their day on a chart where the site has midnight', () => {
    noteZone('Asia/Jakarta');
    expect(formatTick(at('2026-11-20T17:00:00Z'), 10_800_000, 'en-GB')).toBe('21 Nov');
    expect(formatTick(at('2026-11-21T00:00:00Z'), 10_800_000, 'en-GB')).toBe('07:00');
  });

  it('stay those of the browser if it does not know the zone', () => {
    noteZone('Asia/Atlantis');
    expect(siteZone()).toBeUndefined();
  });
});

describe('the clock on the wall', () => {
  it('leads to the instant and back', () => {
    for (const zone of ['Asia/Jakarta', 'UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu']) {
      noteZone(zone);
      for (let time = at('2026-01-01T00:00:00Z'); time < at('2027-01-01T00:00:00Z'); time += 5_000 * 60_000) {
        const back = instantOf(wallOf(time));
        // An hour that comes twice leads to the first of the two.
        if (back !== time) expect(wallOf(back), zone).toEqual(wallOf(time));
      }
    }
  });

  it('takes the first of an hour that comes twice, and the leap for one that never comes', () => {
    noteZone('Europe/Berlin');
    const [year, month] = [2026, 10];
    expect(instantOf({ year, month, day: 25, hour: 2, minute: 30 })).toBe(at('2026-10-25T00:30:00Z'));
    expect(dayOf(2026, 10, 26) - dayOf(2026, 10, 25)).toBe(25 * 3_600_000);
    expect(dayOf(2026, 3, 30) - dayOf(2026, 3, 29)).toBe(23 * 3_600_000);
    // In Beirut clocks go from midnight to one: the day begins then.
    noteZone('Asia/Beirut');
    expect(dayOf(2026, 3, 29)).toBe(at('2026-03-28T22:00:00Z'));
    expect(wallOf(dayOf(2026, 3, 29))).toMatchObject({ day: 29, hour: 1 });
  });

  it('runs over the end of a month and of a year', () => {
    noteZone('Asia/Jakarta');
    expect(dayOf(2026, 13, 1)).toBe(at('2026-12-31T17:00:00Z'));
    expect(dayOf(2026, 3, 0)).toBe(at('2026-02-27T17:00:00Z'));
  });

  it('is called as people call it', () => {
    const name = (zone: string, locale: string): string => {
      noteZone(zone);
      return zoneName(at('2026-01-01T00:00:00Z'), locale);
    };
    expect(['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura'].map((zone) => name(zone, 'en-GB'))).toEqual([
      'WIB',
      'WITA',
      'WIT',
    ]);
    expect([name('UTC', 'id-ID'), name('Europe/Berlin', 'en-GB')]).toEqual(['UTC', 'CET']);
  });
});
