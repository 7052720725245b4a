// Checks the rules behind the pages of alerts, silences, intake and outages.
import type { Availability, Outage, Silence } from '$lib/api/alert-types';
import { localInput } from '$lib/format/field';
import { formatPeriod, formatSpan } from '$lib/format/time';
import { parseRoute, paths } from '$lib/state/route';
import { describe, expect, it } from 'vitest';
import { plainDetails, reachesNow, valueText, windowAround } from './alert/values';
import { asked, chosen, isFiltered } from './alerts/filter';
import { curlExample, validName } from './alerts/intake';
import { again, readSilence, silencesInOrder, silenceState } from './alerts/silences';
import { weekOf } from './device/recap';
import { awayOf, questionsFor, repeatedOnes, rowsOf, spanFor, verdictOf } from './outages/outages';
import { newest } from './thresholds/preview';
import { offered } from './thresholds/select';
import { undoOf } from './thresholds/undo';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the addresses of alerts', () => {
  it('lead to their pages', () => {
    expect(parseRoute('/alerts')).toEqual({ page: 'alerts' });
    expect(parseRoute(paths.alert(245_000_000_000_017))).toEqual({ page: 'alert', id: 245_000_000_000_017 });
    for (const page of ['silences', 'clearances', 'intake'] as const)
      expect(parseRoute(paths[page])).toEqual({ page });
    expect(parseRoute('/thresholds')).toEqual({ page: 'thresholds' });
    expect(parseRoute('/thresholds/edit')).toEqual({ page: 'threshold' });
    expect(parseRoute('/outages')).toEqual({ page: 'outages' });
    expect(paths.threshold({ metric: 'ph', scope: 'location', target: 'Kolam 1' })).toBe(
      '/thresholds/edit?metric=ph&scope=location&target=Kolam+1',
    );
    for (const wrong of ['/alerts/x', '/alerts/1/2', '/alerts/silences/1', '/thresholds/ph', '/outages/pi-1'])
      expect(parseRoute(wrong), wrong).toEqual({ page: 'missing' });
  });
});

describe('the filter of alerts', () => {
  const from = (query: string) => chosen((name) => new URLSearchParams(query).get(name));

  it('asks for what is not resolved, unless somebody wants more', () => {
    expect(asked(from(''))).toEqual({ state: 'open,acknowledged' });
    expect(isFiltered(from(''))).toBe(false);
    expect(asked(from('state=any&device=pi-7&q=ph'))).toEqual({ device: 'pi-7', q: 'ph' });
    expect(isFiltered(from('state=any'))).toBe(true);
    expect(asked(from('state=eaten&severity=loud')), 'nonsense is left out').toEqual({
      state: 'open,acknowledged',
    });
  });
});

describe('silences', () => {
  const silence = (over: Partial<Silence> = {}): Silence => ({
    id: 1,
    kind: 'silence',
    scope: 'fleet',
    target: '',
    from: 100,
    to: 200,
    reason: '',
    made_by: 'admin',
    made_at: 0,
    ended_at: null,
    ended_by: null,
    active: true,
    ...over,
  });

  it('are in force from their beginning until their end, or until somebody ends them', () => {
    expect([99, 100, 199, 200].map((now) => silenceState(silence(), now))).toEqual([
      'later',
      'now',
      'now',
      'over',
    ]);
    expect(silenceState(silence({ ended_at: 150 }), 160)).toBe('over');
    const all = [silence({ id: 1, to: 120 }), silence({ id: 2, from: 180 }), silence({ id: 3 })];
    expect(silencesInOrder(all, 150).map(({ id }) => id)).toEqual([3, 2, 1]);
  });

  it('go on for the rest of their time where one was ended too early', () => {
    const rest = { kind: 'silence', scope: 'fleet', target: '', to: 200, reason: '' };
    expect(again(silence(), 150)).toEqual(rest);
    expect(again(silence(), 50)).toEqual({ ...rest, from: 100 });
  });

  it('need a place, and an end after their beginning and after now', () => {
    const now = new Date(2026, 10, 26, 17, 25, 40).getTime();
    const draft = {
      kind: 'maintenance',
      where: { scope: 'device', target: 'pi-7' },
      from: localInput(now),
      to: localInput(now + HOUR),
      reason: ' kolam dibersihkan ',
    } as const;
    expect(draft.from).toBe('2026-11-26T17:25');
    expect(readSilence(draft, now)).toEqual({
      kind: 'maintenance',
      scope: 'device',
      target: 'pi-7',
      from: now - 40_000,
      to: now - 40_000 + HOUR,
      reason: 'kolam dibersihkan',
    });
    expect(readSilence({ ...draft, where: null }, now)).toBe('target');
    expect(readSilence({ ...draft, to: draft.from }, now)).toBe('order');
    expect(readSilence({ ...draft, to: '' }, now)).toBe('order');
    expect(readSilence({ ...draft, reason: '  ' }, now)).toBe('reason');
    expect(readSilence(draft, now + 2 * HOUR)).toBe('order');
  });
});

describe('alerts of other systems', () => {
  it('are handed in under a name that can stand in a key, by a command that works as it is', () => {
    expect(['pump-control', 'plc-1', 'a'].every(validName)).toBe(true);
    expect(['', 'two words', 'a/b', 'Pump', 'x'.repeat(41)].some(validName)).toBe(false);
    const command = curlExample('s3cret', 'https://tirta.local:8443');
    expect(command).toContain('https://tirta.local:8443/api/v1/webhooks/alerts');
    expect(command).toContain('Bearer s3cret');
    const body = /-d '(.*)'/.exec(command)?.[1] ?? '';
    expect(JSON.parse(body)).toMatchObject({ state: 'firing', severity: 'warning' });
  });
});

describe('outages', () => {
  const outage = (id: number, started_at: number, device: string | null = 'pi-7'): Outage => ({
    id,
    device,
    location: null,
    started_at,
    ended_at: started_at + 60_000,
    cause: 'power',
    detail: {},
    alert: null,
  });

  it('repeat when a device has three within a day; the server has none', () => {
    const all = [
      outage(1, 0),
      outage(2, 20 * HOUR),
      outage(3, 23 * HOUR),
      outage(4, 60 * HOUR),
      outage(5, 0, 'pi-8'),
    ];
    expect([...repeatedOnes(all)].sort()).toEqual([1, 2, 3]);
    expect(repeatedOnes([outage(1, 0, null), outage(2, 1, null), outage(3, 2, null)]).size).toBe(0);
    expect(repeatedOnes([outage(1, 0), outage(2, DAY), outage(3, DAY + 1)]).size).toBe(0);
  });

  const cell = (over: Partial<Availability>): Availability => ({
    device: null,
    location: null,
    from: 0,
    to: DAY,
    availability_percent: 100,
    outages: 0,
    out_ms: 0,
    unknown_ms: 0,
    planned_ms: 0,
    longest_ms: 0,
    causes: {},
    ...over,
  });

  it('are told by row and period, the newest to the right', () => {
    const cells = Array.from({ length: 9 }, (_, i) => cell({ device: 'pi-10', from: (8 - i) * DAY }));
    const rows = rowsOf([...cells, cell({ device: 'pi-2' }), cell({ location: 'Kolam 1' })], 'device', 'day');
    expect(rows.map(({ name }) => name)).toEqual(['pi-2', 'pi-10']);
    expect(rows[1]?.cells.map(({ from }) => from / DAY)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(rowsOf([cell({ location: 'Kolam 1' })], 'location', 'week')).toHaveLength(1);
    expect(spanFor('day', 10 * DAY)).toEqual({ from: 4 * DAY, to: 10 * DAY });
  });

  it('weigh in a week as much as is known of each day', () => {
    const week = weekOf([
      cell({ availability_percent: 50, outages: 2, out_ms: DAY / 4, unknown_ms: DAY / 2 }),
      cell({}),
      cell({ availability_percent: null, unknown_ms: DAY }),
    ]);
    expect(week.percent).toBeCloseTo(83.33, 1);
    expect(week.outages).toBe(2);
    expect(weekOf([]).percent).toBeNull();
    expect([100, 99.9, 99.4, 97, null].map(verdictOf)).toEqual(['good', 'good', 'fair', 'poor', 'unknown']);
  });

  it('last so long in the two largest units, and need no seconds beside minutes', () => {
    expect(formatSpan(2 * HOUR + 5 * 60_000 + 9_000, 'en-GB')).toBe('2h 5m');
    expect(formatSpan(5 * 60_000 + 9_000, 'en-GB')).toBe('5m');
    expect(formatSpan(9_000, 'en-GB')).toBe('9s');
    expect(formatSpan(DAY, 'en-GB')).toBe('1d');
    expect(formatSpan(-5, 'en-GB')).toBe('0s');
    const noon = new Date(2026, 10, 26, 12).getTime();
    expect(formatPeriod(noon, noon + HOUR, 'en-GB').match(/Nov/g)).toHaveLength(1);
  });
});

describe('an alert in numbers', () => {
  it('shows values with the digits and unit of its metric', () => {
    expect(valueText({ metric: 'ph', unit: 'pH' }, 9.4, 'id-ID')).toBe('9,40');
    expect(valueText({ metric: 'temperature', unit: '°C' }, 31, 'id-ID')).toBe('31,0 °C');
    expect(valueText({ metric: null, unit: null }, 0.5, 'id-ID')).toBe('0,5');
  });

  it('has a window that shows it coming, and never more than a week of it', () => {
    const now = 100 * DAY;
    const short = windowAround({ since: now - HOUR, resolved_at: now - HOUR / 2 }, now);
    expect(short.from).toBe(now - HOUR - 15 * 60_000);
    expect(short.to).toBe(now - HOUR / 2 + 15 * 60_000);
    expect(windowAround({ since: now - 60_000, resolved_at: null }, now).to).toBe(now);
    const long = windowAround({ since: now - 40 * DAY, resolved_at: null }, now);
    expect(long.to - long.from).toBeLessThan(11 * DAY);
  });

  it('is drawn up to the present while the present belongs to it', () => {
    const now = 100 * DAY;
    expect(reachesNow({ since: now - HOUR, resolved_at: null }, now)).toBe(true);
    expect(
      reachesNow({ since: now - HOUR, resolved_at: now - 60_000 }, now),
      'what comes after it, too',
    ).toBe(true);
    expect(reachesNow({ since: now - HOUR, resolved_at: now - HOUR / 2 }, now)).toBe(false);
    expect(reachesNow({ since: now - 40 * DAY, resolved_at: null }, now), 'the first week is enough').toBe(
      false,
    );
  });

  it('tells simple details only', () => {
    expect(plainDetails({ fault: 'no_bus', deep: { a: 1 }, none: null, n: 3, outage: 7 })).toEqual([
      ['fault', 'no_bus'],
      ['n', '3'],
    ]);
  });
});

describe('the outages of a large fleet', () => {
  const fleet = (size: number) =>
    Array.from({ length: size }, (_, i) => ({ name: `pi-${i}`, location: `Kolam ${i % 30}` }));
  const nowhere = { device: '', location: '' };

  it('are asked for at once as long as it is small', () => {
    expect(questionsFor('device', fleet(200), nowhere)).toEqual([{}]);
    expect(questionsFor('location', fleet(2_000), nowhere)).toEqual([{}]);
    expect(questionsFor('device', fleet(200), { device: '', location: 'Kolam 1' })).toEqual([
      { location: 'Kolam 1' },
    ]);
    expect(questionsFor('device', fleet(5_000), { device: 'pi-7', location: '' })).toEqual([
      { device: 'pi-7' },
    ]);
  });

  it('are asked for in parts that the server answers, and by device only where it is narrowed', () => {
    expect(questionsFor('device', fleet(5_000), nowhere)).toBeNull();
    const parts = questionsFor('device', fleet(9_000), { device: '', location: 'Kolam 1' });
    expect(parts?.map(({ device }) => device?.split(',').length)).toEqual([100, 100, 100]);
    const places = questionsFor('location', fleet(5_000), nowhere);
    expect(places).toHaveLength(30);
    expect(places?.[1]).toEqual({ location: 'Kolam 1' });
  });

  it('are news when a device goes or comes back, not with each of its readings', () => {
    const at = (...states: string[]) => awayOf(states.map((state, i) => ({ name: `pi-${i}`, state })));
    expect(at('online', 'offline')).toBe(at('online', 'offline'));
    expect(at('online', 'offline')).not.toBe(at('online', 'online'));
  });
});

describe('a preview', () => {
  it('names the newest and counts the rest', () => {
    const alerts = [1, 3, 2].map((at) => ({
      kind: 'high' as const,
      severity: 'warning' as const,
      since: at,
      raised_at: at,
      resolved_at: null,
      extreme: null,
    }));
    const told = newest({ alerts, count: 7 }, 2);
    expect(told.shown.map(({ since }) => since)).toEqual([3, 2]);
    expect(told.more).toBe(5);
  });
});

describe('a threshold for many devices', () => {
  const device = (name: string, location: string | null, state: 'online' | 'revoked' = 'online') => ({
    name,
    location,
    state,
  });

  it('offers what the search and the location leave, and what is decommissioned only if it is chosen', () => {
    const all = [
      device('pi-10', 'Kolam 1'),
      device('pi-2', ' Kolam 1'),
      device('pi-3', 'Rumah kaca'),
      device('pi-4', null, 'revoked'),
    ];
    const names = (search: string, location: string, chosen: string[] = []) =>
      offered(all, chosen, search, location).map(({ name }) => name);
    expect(names('', '')).toEqual(['pi-2', 'pi-3', 'pi-10']);
    expect(names('', 'Kolam 1')).toEqual(['pi-2', 'pi-10']);
    expect(names(' KACA', '')).toEqual(['pi-3']);
    expect(names('pi-1', 'Rumah kaca')).toEqual([]);
    expect(names('', '', ['pi-4'])).toContain('pi-4');
  });

  it('is undone with one change for all that had the same before', () => {
    const target = (name: string) => ({ scope: 'device' as const, target: name });
    const own = (name: string, warning: number, preset: string | null = null) => ({
      target: target(name),
      was: {
        ...target(name),
        metric: 'ph' as const,
        version: 1,
        threshold: { high: { warning } },
        preset,
        changed_at: 0,
        changed_by: '',
      },
    });
    const none = (name: string) => ({ target: target(name), was: null });
    const before = [
      none('pi-1'),
      own('pi-2', 8),
      own('pi-3', 9),
      none('pi-4'),
      own('pi-5', 8),
      own('pi-6', 8, 'lele'),
    ];
    const changes = undoOf(before).map(({ targets, threshold, preset }) => [
      targets.map((each) => each.target).join(' '),
      threshold?.high?.warning ?? null,
      preset,
    ]);
    expect(changes).toEqual([
      ['pi-1 pi-4', null, null],
      ['pi-2 pi-5', 8, null],
      ['pi-3', 9, null],
      ['pi-6', 8, 'lele'],
    ]);
  });
});
