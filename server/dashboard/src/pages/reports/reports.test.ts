// Checks the times that reports are about, what they conclude, and what stands in their cells.
import { afterEach, describe, expect, it } from 'vitest';
import type { Availability } from '$lib/api/alert-types';
import { fileOf, parts, type Exceedance, type StatisticsRow } from '$lib/api/reports';
import { noteZone } from '$lib/format/zone';
import { en } from '$lib/i18n/en';
import { id } from '$lib/i18n/id';
import { reportsEn } from '$lib/i18n/reports.en';
import { reportsId } from '$lib/i18n/reports.id';
import { parseRoute } from '$lib/state/route';
import {
  availabilityLine,
  exceededLine,
  partName,
  percent,
  qualityLine,
  statisticsLine,
  type Line,
} from './cells';
import { distinctLimits, meanAvailability, namesIn, passedOf, totalsOf } from './conclude';
import { daysOf, periodOf, spanOf, type PeriodName } from './period';

const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);
const NONE = { from: '', to: '' };
const flat = (line: Line): string[] =>
  line.cells.map(({ text, sub }) => `${text}${sub ? ` | ${sub}` : ''}`.replace(/\u00a0|\u202f|\u2009/g, ' '));
const indonesian = { t: id, r: reportsId, locale: 'id-ID', language: 'id' } as const;
const english = { t: en, r: reportsEn, locale: 'en-GB', language: 'en' } as const;

afterEach(() => noteZone(undefined));

const row = (over: Partial<StatisticsRow> = {}): StatisticsRow => ({
  device: 'pi-7',
  location: 'Kolam 3',
  metric: 'ph',
  unit: 'pH',
  from: 0,
  to: DAY,
  readings: 8_640,
  good: 8_600,
  flagged: 20,
  calibrating: 0,
  faults: 20,
  simulated: 0,
  unsynced: 0,
  expected: 8_640,
  coverage_percent: 99.77,
  min: 6.81,
  min_at: at('2026-11-20T01:00:00Z'),
  max: 7.42,
  max_at: at('2026-11-20T12:00:00Z'),
  mean: 7.048,
  deviation: 0.112,
  p5: 6.87,
  median: 7.04,
  p95: 7.26,
  percentile_step: 0.001,
  ...over,
});

const exceedance = (over: Partial<Exceedance> = {}): Exceedance => ({
  device: 'pi-7',
  location: null,
  metric: 'tds',
  unit: 'mg/L',
  side: 'high',
  limits: [
    { from: 0, to: 1, warning: 900, critical: 1000, scope: 'fleet', target: '', version: 2, preset: null },
  ],
  episodes: 0,
  critical_episodes: 0,
  beyond_ms: 0,
  critical_ms: 0,
  unheard_ms: 0,
  longest_ms: 0,
  longest_from: null,
  ongoing: false,
  by_hand: 0,
  simulated: 0,
  worst: null,
  worst_at: null,
  ...over,
});

describe('the time of a report', () => {
  // A Thursday in Jakarta, and a Wednesday still in London.
  const now = at('2026-11-25T18:00:00Z');
  const span = (period: PeriodName, days = NONE): unknown => spanOf(period, days, now);

  it('is a week or a month of the calendar at the site, and ends now at the latest', () => {
    noteZone('Asia/Jakarta');
    expect(span('this-week')).toEqual({ from: at('2026-11-22T17:00:00Z'), to: now });
    expect(span('last-week')).toEqual({ from: at('2026-11-15T17:00:00Z'), to: at('2026-11-22T17:00:00Z') });
    expect(span('this-month')).toEqual({ from: at('2026-10-31T17:00:00Z'), to: now });
    expect(span('last-month')).toEqual({ from: at('2026-09-30T17:00:00Z'), to: at('2026-10-31T17:00:00Z') });
    const newYear = at('2026-12-31T18:00:00Z');
    expect(spanOf('last-month', NONE, newYear)).toEqual({
      from: at('2026-11-30T17:00:00Z'),
      to: at('2026-12-31T17:00:00Z'),
    });
    noteZone('UTC');
    expect(span('this-week')).toEqual({ from: at('2026-11-23T00:00:00Z'), to: now });
  });

  it('has the hour more or less of a month in which clocks are changed', () => {
    noteZone('Europe/Berlin');
    const found = span('last-month') as { from: number; to: number };
    expect(found.to - found.from).toBe(31 * DAY + 3_600_000);
  });

  it('of one’s own has both its days, and is refused when it can be none', () => {
    noteZone('Asia/Jakarta');
    const own = (from: string, to: string): unknown => span('own', { from, to });
    const two = { from: at('2026-11-09T17:00:00Z'), to: at('2026-11-11T17:00:00Z') };
    expect(own('2026-11-10', '2026-11-11')).toEqual(two);
    expect(daysOf(two)).toEqual({ from: '2026-11-10', to: '2026-11-11' });
    expect(own('2026-11-26', '2026-12-31')).toEqual({ from: at('2026-11-25T17:00:00Z'), to: now });
    expect([own('', '2026-11-11'), own('2026-11-10', 'x')]).toEqual(['empty', 'empty']);
    expect([own('2026-11-12', '2026-11-11'), own('2026-12-01', '2026-12-02')]).toEqual(['order', 'order']);
    expect(own('2025-01-01', '2026-11-11')).toBe('long');
  });

  it('and its address go together', () => {
    expect(parseRoute('/reports')).toEqual({ page: 'reports' });
    expect(periodOf('last-week')).toBe('last-week');
    expect([periodOf(null), periodOf('yesterday')]).toEqual(['this-month', 'this-month']);
    expect([namesIn(null), namesIn('pi-1,pi-2'), namesIn(',')]).toEqual([[], ['pi-1', 'pi-2'], []]);
  });
});

describe('what is asked of the server', () => {
  it('is parted so that each part takes a moment', () => {
    const names = Array.from({ length: 20 }, (_, i) => `pi-${i + 1}`);
    expect(parts(names, { from: 0, to: 30 * DAY }).map((part) => part.split(',').length)).toEqual([8, 8, 4]);
    expect(parts(names, { from: 0, to: 365 * DAY })).toEqual(names);
    expect(parts(names, { from: 0, to: 3_600_000 })).toEqual([names.join(',')]);
    expect(parts([], { from: 0, to: DAY })).toEqual([]);
  });

  it('is the same for the file of a section', () => {
    const query = { from: 1, to: 2, location: 'Kolam 3', metric: 'ph' };
    expect(fileOf('exceedances', query)).toBe(
      '/api/v1/reports/exceedances.csv?from=1&to=2&location=Kolam+3&metric=ph',
    );
    expect(fileOf('availability', query, 'day')).toBe(
      '/api/v1/availability.csv?from=1&to=2&location=Kolam+3&per=day',
    );
  });
});

describe('a summary', () => {
  it('counts what came against what was to come, and one that measured too much makes up for nobody', () => {
    const rows = [
      row(),
      row({ device: 'pi-8', good: 20_000, flagged: 0, expected: 10_000 }),
      row({ device: 'pi-8', metric: 'tds', good: 5, flagged: 0, expected: null }),
      row({ device: 'pi-9', good: 0, flagged: 0, expected: 1_360 }),
    ];
    const totals = totalsOf(rows);
    expect([totals.devices, totals.values]).toEqual([3, 8_620 + 20_000 + 5]);
    expect(totals.coverage).toBeCloseTo((100 * 18_620) / 20_000, 9);
    expect(totalsOf([]).coverage).toBeNull();
  });

  it('adds up what was passed, and takes the mean of what is known', () => {
    const rows = [exceedance({ episodes: 2, critical_episodes: 1, beyond_ms: 10 }), exceedance()];
    expect(passedOf(rows)).toEqual({ episodes: 2, critical: 1, ms: 10 });
    const share = (availability_percent: number | null) => ({ availability_percent }) as Availability;
    expect(meanAvailability([share(100), share(null), share(90)])).toBe(95);
    expect(meanAvailability([share(null)])).toBeNull();
  });

  it('tells a limit once that held again', () => {
    const [limit] = exceedance().limits;
    if (!limit) throw new Error('a limit');
    expect(distinctLimits([limit, { ...limit, version: 3 }, { ...limit, from: 9 }])).toHaveLength(2);
  });
});

describe('a cell', () => {
  it('of a share is never rounded up to all', () => {
    expect(percent(99.97, 'en-GB')).toBe('99.97%');
    expect(percent(100, 'en-GB')).toBe('100%');
    expect(percent(98.76, 'id-ID')).toBe('98,8%');
    expect(percent(null, 'id-ID')).toBe('–');
  });

  it('of a limit says which held, and whether it was kept', () => {
    expect(flat(exceededLine(exceedance(), english))).toEqual([
      'pi-7',
      'TDS | too high',
      'warning 900 mg/L, critical 1,000 mg/L (fleet, version 2)',
      'kept',
      '–',
      '–',
      '–',
    ]);
    noteZone('Asia/Jakarta');
    const passed = exceedance({
      episodes: 3,
      critical_episodes: 1,
      beyond_ms: 5_400_000,
      critical_ms: 600_000,
      longest_ms: 3_600_000,
      longest_from: at('2026-11-20T17:30:00Z'),
      ongoing: true,
      worst: 1_042,
      worst_at: at('2026-11-20T18:00:00Z'),
    });
    expect(flat(exceededLine(passed, indonesian)).slice(3)).toEqual([
      '3 | 1 kritis, masih berlangsung',
      '1 j 30 mnt | 10 mnt kritis',
      '1 j | 21 Nov, 00.30',
      '1.042 mg/L | 21 Nov, 01.00',
    ]);
  });

  it('of statistics has the digits of its quantity and the time of the site', () => {
    noteZone('Asia/Makassar');
    expect(flat(statisticsLine(row(), 'whole', indonesian))).toEqual([
      'pi-7 | Kolam 3',
      'pH',
      '8.620',
      '6,81 | 20 Nov, 09.00',
      '6,87',
      '7,04',
      '7,05',
      '7,26',
      '7,42 | 20 Nov, 20.00',
      '0,11',
    ]);
    const day = { from: at('2026-11-19T16:00:00Z'), to: at('2026-11-20T16:00:00Z') };
    expect(partName(day, 'day', 'en-GB')).toBe('20 Nov 2026');
    expect(statisticsLine(row(day), 'day', english).cells).toHaveLength(11);
  });

  it('of quality shows what is simulated as such, and a coverage that nobody can say as nothing', () => {
    const simulated = row({ simulated: 8_640 });
    expect(qualityLine(simulated, indonesian).cells.at(-1)).toEqual({ text: 'semua', tone: 'warn' });
    expect(qualityLine(row(), english).cells.at(-1)?.text).toBe('none');
    expect(flat(qualityLine(row(), english))[2]).toBe('99.8% | of 8,640 expected');
    expect(qualityLine(row({ coverage_percent: null }), english).cells[2]?.text).toBe('–');
  });

  it('of availability names the causes', () => {
    const share: Availability = {
      device: 'pi-7',
      location: null,
      from: 0,
      to: DAY,
      availability_percent: 98.5,
      outages: 3,
      causes: { power: 2, network: 1 },
      out_ms: 1_296_000,
      longest_ms: 600_000,
      planned_ms: 0,
      unknown_ms: 0,
    };
    const cells = availabilityLine(share, indonesian).cells;
    expect(cells[1]).toEqual({ text: '98,5%', tone: 'bad' });
    expect(cells[2]).toEqual({ text: '3', sub: 'Listrik padam 2, Jaringan 1' });
    expect(availabilityLine({ ...share, availability_percent: null }, english).cells[1]?.text).toBe(
      'unknown',
    );
  });
});
