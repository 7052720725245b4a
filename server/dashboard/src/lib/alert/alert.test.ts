// Checks what live news changes, what is told of it and how loudly, and the words of the wire.
import type { Alert, News } from '$lib/api/alert-types';
import { en } from '$lib/i18n/en';
import { id } from '$lib/i18n/id';
import { added, type Toast } from '$lib/state/toasts.svelte';
import { describe, expect, it } from 'vitest';
import { inOrder, keyOf, levels, loudness, mergeNews, replaceIn, Told } from './news';
import { causeWords, eventWords, kindWords, withheldWords } from './words';

const alert = (over: Partial<Alert> = {}): Alert => ({
  id: 17,
  source: 'rule',
  kind: 'high',
  device: 'pi-7',
  location: null,
  metric: 'ph',
  unit: 'pH',
  severity: 'warning',
  worst: 'warning',
  state: 'open',
  since: 1_000,
  raised_at: 2_000,
  known_at: 2_000,
  changed_at: 2_000,
  resolved_at: null,
  resolved_by: null,
  reason: null,
  value: 9.4,
  limit: 9,
  extreme: 9.4,
  simulated: false,
  historical: false,
  reopened: 0,
  read: false,
  acknowledged_by: null,
  acknowledged_at: null,
  assignee: null,
  snoozed_until: null,
  parent: null,
  children: 0,
  silenced: false,
  detail: {},
  text: { id: 'pH pi-7 tinggi', en: 'pH pi-7 high' },
  ...over,
});

const news = (what: News['what'], over: Partial<Alert> = {}): News => ({
  v: 1,
  key: `alert-17-${what}`,
  what,
  at: 2_000,
  text: { id: 'pH pi-7 tinggi', en: 'pH pi-7 high' },
  alert: alert(over),
});

const known = (...alerts: Alert[]) => new Map(alerts.map((each) => [each.id, each]));

describe('live news', () => {
  it('adds an alert, changes it in place, and takes it out when it is over', () => {
    const raised = mergeNews(new Map(), [news('raised')]);
    expect(raised.get(17)?.severity).toBe('warning');
    const worse = mergeNews(raised, [news('escalated', { severity: 'critical' })]);
    expect(worse.get(17)?.severity).toBe('critical');
    expect(mergeNews(worse, [news('cleared', { state: 'resolved' })]).size).toBe(0);
    expect(raised.get(17)?.severity, 'what was known before is left alone').toBe('warning');
  });

  it('keeps the order of the list on the screen, and the list itself when it is not concerned', () => {
    const list = [alert({ id: 18 }), alert({ id: 17 })];
    const changed = replaceIn(list, [news('acknowledged', { state: 'acknowledged' })]);
    expect(changed.map((each) => [each.id, each.state])).toEqual([
      [18, 'open'],
      [17, 'acknowledged'],
    ]);
    expect(replaceIn(list, [news('raised', { id: 19 })])).toBe(list);
  });

  it('of a digest changes no single alert', () => {
    const digest: News = {
      v: 1,
      key: 'digest-3',
      what: 'digest',
      at: 1,
      text: { id: '', en: '' },
      alert: null,
      alerts: [alert()],
    };
    expect(mergeNews(known(alert()), [digest]).size).toBe(1);
    expect(loudness(digest, 0)).toBe('calm');
    expect(loudness({ ...digest, alerts: [] }, 0)).toBe('silent');
  });
});

describe('the level of a value', () => {
  it('is that of the worst alert about it, and a failing probe has its own words', () => {
    const found = levels(
      known(
        alert({ id: 1 }),
        alert({ id: 2, kind: 'rate', severity: 'critical' }),
        alert({ id: 3, kind: 'high' }),
        alert({ id: 4, kind: 'fault', metric: 'tds', severity: 'critical' }),
        alert({ id: 5, kind: 'offline', metric: null, device: 'pi-8' }),
      ),
    );
    expect([...found]).toEqual([[keyOf('pi-7', 'ph'), 'critical']]);
  });

  it('decides the order, the newest first among equals', () => {
    const sorted = inOrder([alert({ id: 1 }), alert({ id: 3 }), alert({ id: 2, severity: 'critical' })]);
    expect(sorted.map((each) => each.id)).toEqual([2, 3, 1]);
  });
});

describe('how loudly news is told', () => {
  it('follows the severity when something begins or gets worse', () => {
    expect(loudness(news('raised'), 0)).toBe('warning');
    expect(loudness(news('escalated', { severity: 'critical' }), 0)).toBe('critical');
    expect(loudness(news('reopened', { severity: 'critical' }), 0)).toBe('critical');
  });

  it('is calm when it is over or eases, and silent about what people did', () => {
    expect(loudness(news('cleared', { state: 'resolved' }), 0)).toBe('calm');
    expect(loudness(news('eased'), 0)).toBe('calm');
    expect(loudness(news('acknowledged', { state: 'acknowledged' }), 0)).toBe('silent');
    expect(loudness(news('eaten_by_fish' as News['what']), 0)).toBe('silent');
  });

  it('is silent while silenced or snoozed, for a part of a larger alert, and about the past', () => {
    expect(loudness(news('raised', { silenced: true }), 0)).toBe('silent');
    expect(loudness(news('raised', { snoozed_until: 9 }), 8)).toBe('silent');
    expect(loudness(news('raised', { snoozed_until: 9 }), 9)).toBe('warning');
    expect(loudness(news('raised', { parent: 4 }), 0)).toBe('silent');
    expect(loudness(news('raised', { historical: true }), 0)).toBe('silent');
  });

  it('is told once for a key, however often it comes', () => {
    const told = new Told(2);
    expect(told.first('a')).toBe(true);
    expect(told.first('a')).toBe(false);
    expect(told.first('b')).toBe(true);
    expect(told.first('c'), 'the memory is bounded').toBe(true);
    expect(told.first('c')).toBe(false);
    expect(told.first('a'), 'the oldest is forgotten').toBe(true);
  });
});

describe('toasts', () => {
  const toast = (number: number, over: Partial<Toast> = {}): Toast => ({
    id: number,
    text: `${number}`,
    tone: 'ok',
    ...over,
  });
  const ids = (list: readonly Toast[]): number[] => list.map((each) => each.id);

  it('that pass give way to newer ones, those that stay do not', () => {
    const list = [toast(1, { stays: true }), toast(2), toast(3), toast(4)];
    expect(ids(added(list, toast(5)))).toEqual([1, 3, 4, 5]);
    expect(ids(added(list, toast(6, { stays: true })))).toEqual([1, 2, 3, 4, 6]);
  });

  it('about the same thing replace each other', () => {
    const list = [toast(1, { group: 'alert-17', stays: true }), toast(2)];
    expect(ids(added(list, toast(3, { group: 'alert-17' })))).toEqual([2, 3]);
  });
});

describe('words of the wire about alerts', () => {
  it('are known in both languages, and an unknown one is shown as it came', () => {
    const kinds = ['low', 'high', 'rate', 'missing', 'fault', 'offline', 'location_offline', 'fleet_offline'];
    const events = [
      'raised',
      'escalated',
      'eased',
      'cleared',
      'acknowledged',
      'resolved',
      'reopened',
      'noted',
    ];
    for (const t of [en, id]) {
      for (const kind of [...kinds, 'repeated_outages', 'external'])
        expect(kindWords(t, kind)).not.toBe(kind);
      for (const event of events) expect(eventWords(t, event)).not.toBe(event);
      for (const cause of ['power', 'network', 'stopped', 'agent', 'server', 'unknown'])
        expect(causeWords(t, cause)).not.toBe(cause);
      expect(kindWords(t, 'eaten_by_fish')).toBe('eaten_by_fish');
      expect(eventWords(t, 'toString')).toBe('toString');
      expect(withheldWords(t, 'eaten_by_fish')).toContain('eaten_by_fish');
      expect(withheldWords(t, 'silenced')).toBe(t.alerts.delivery.withheld.silenced);
    }
  });
});
