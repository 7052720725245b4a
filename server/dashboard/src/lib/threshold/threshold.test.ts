// Checks the form of a threshold against the server's rules (shared/src/rule/threshold.rs), and how it is told.
import type { Threshold, ThresholdInForce } from '$lib/api/alert-types';
import { en } from '$lib/i18n/en';
import { id } from '$lib/i18n/id';
import { describe, expect, it } from 'vitest';
import { holdingFor } from './force';
import { draftOf, msOf, readDraft, sameThreshold, spanOf, type Draft } from './form';
import { beyondWords, linesOf, summarise, wrongText } from './words';

const whole: Threshold = {
  low: { warning: 5.5, critical: 5 },
  high: { warning: 6.5, critical: 7 },
  hysteresis: 0.1,
  hold_ms: 60_000,
  clear_ms: 90_000,
  rate: { change: 0.5, within_ms: 600_000, severity: 'critical' },
  missing: { after_ms: 300_000, severity: 'warning' },
  fault: { after_ms: 3_600_000, severity: 'critical' },
};

const changed = (change: (draft: Draft) => void): Draft => {
  const draft = draftOf(whole, 'id-ID');
  change(draft);
  return draft;
};

describe('the form of a threshold', () => {
  it('gives back what it was filled with, in either language', () => {
    for (const locale of ['id-ID', 'en-GB']) {
      expect(readDraft(draftOf(whole, locale), locale)).toEqual({ threshold: whole, problems: {} });
    }
    expect(draftOf(whole, 'id-ID').low.warning).toBe('5,5');
    expect(draftOf({ high: { warning: 1500.25 } }, 'id-ID').high.warning, 'no separator of thousands').toBe(
      '1500,25',
    );
  });

  it('takes comma and point, and values below zero', () => {
    const draft = draftOf({ low: { warning: -2.5 } }, 'id-ID');
    expect(draft.low.warning).toBe('-2,5');
    expect(readDraft({ ...draft, low: { warning: '-3.5', critical: '' } }, 'id-ID').threshold?.low).toEqual({
      warning: -3.5,
    });
  });

  it('asks what is meant by a limit that is written as thousands are shown', () => {
    const typed = (text: string) => changed((draft) => (draft.high = { warning: text, critical: '' }));
    expect(readDraft(typed('1.500'), 'id-ID').problems).toEqual({ 'high.warning': 'ambiguous' });
    expect(readDraft(typed('1,500'), 'en-GB').problems).toEqual({ 'high.warning': 'ambiguous' });
    expect(readDraft(typed('7.2'), 'id-ID').threshold?.high).toEqual({ warning: 7.2 });
    expect(wrongText(id, 'id-ID', 'ambiguous', '1.500')).toContain('1500 atau 1,5?');
    expect(wrongText(en, 'en-GB', 'ambiguous', '1,500')).toContain('1500 or 1.5?');
  });

  it('names each field that the server would refuse', () => {
    const cases: readonly [string, (draft: Draft) => void][] = [
      ['low.warning', (draft) => (draft.low.critical = '6')],
      ['high.warning', (draft) => (draft.high.warning = '5,5')],
      ['high.critical', (draft) => (draft.high.critical = '6')],
      ['high.critical', (draft) => (draft.high.critical = 'tujuh')],
      ['hysteresis', (draft) => (draft.hysteresis = '-1')],
      ['hysteresis', (draft) => (draft.hysteresis = '0,5')],
      ['hold_ms', (draft) => (draft.hold = { text: '', unit: 's' })],
      ['clear_ms', (draft) => (draft.clear = { text: '25', unit: 'h' })],
      ['rate.change', (draft) => (draft.rate.change = '0')],
      ['rate.within_ms', (draft) => (draft.rate.within = { text: '1', unit: 's' })],
      ['missing.after_ms', (draft) => (draft.missing.after = { text: '1', unit: 's' })],
      ['fault.after_ms', (draft) => (draft.fault.after = { text: '2', unit: 'd' })],
    ];
    for (const [field, change] of cases) {
      const { threshold, problems } = readDraft(changed(change), 'id-ID');
      expect(Object.keys(problems), field).toEqual([field]);
      expect(threshold, field).toBeNull();
    }
  });

  it('of one that asks for nothing is no threshold', () => {
    expect(readDraft(draftOf(null, 'id-ID'), 'id-ID').problems).toEqual({ threshold: 'empty' });
  });

  it('asks for nothing that is switched off', () => {
    const { threshold } = readDraft(
      changed((draft) => (draft.rate.on = draft.missing.on = draft.fault.on = false)),
      'id-ID',
    );
    expect(threshold).not.toHaveProperty('rate');
    expect(threshold).not.toHaveProperty('missing');
    expect(threshold).not.toHaveProperty('fault');
  });

  it('shows times in the largest unit that needs no fraction', () => {
    expect(spanOf(0, 'id-ID')).toEqual({ text: '0', unit: 's' });
    expect(spanOf(90_000, 'id-ID')).toEqual({ text: '90', unit: 's' });
    expect(spanOf(86_400_000, 'id-ID')).toEqual({ text: '1', unit: 'd' });
    expect(spanOf(1_500, 'id-ID')).toEqual({ text: '1,5', unit: 's' });
    expect(msOf({ text: '1,5', unit: 'min' }, 'id-ID')).toBe(90_000);
    expect(msOf({ text: '-1', unit: 'min' }, 'id-ID')).toBeNull();
  });

  it('knows a preset again, whatever it leaves out', () => {
    expect(sameThreshold({ high: { warning: 9 } }, { low: {}, high: { warning: 9 }, hold_ms: 0 })).toBe(true);
    expect(sameThreshold({ high: { warning: 9 } }, { high: { warning: 9.1 } })).toBe(false);
    expect(sameThreshold({ fault: { after_ms: 0 } }, { fault: { after_ms: 0, severity: 'warning' } })).toBe(
      true,
    );
  });
});

describe('the threshold that holds', () => {
  const rule = (scope: ThresholdInForce['scope'], target: string): ThresholdInForce => ({
    scope,
    target,
    metric: 'ph',
    version: 1,
    threshold: whole,
    preset: null,
    changed_at: 0,
    changed_by: 'admin',
  });
  const device = { scope: 'device', target: 'pi-7' } as const;

  it('is the narrowest', () => {
    const [own, place, all] = [rule('device', 'pi-7'), rule('location', 'Kolam 1'), rule('fleet', '')];
    expect(holdingFor([all, place, own], device, 'ph', 'Kolam 1')).toBe(own);
    expect(holdingFor([all, place], device, 'ph', 'Kolam 1')).toBe(place);
    expect(holdingFor([all, place], device, 'ph', null)).toBe(all);
    expect(holdingFor([place], device, 'ph', 'Kolam 2')).toBeNull();
    expect(holdingFor([all], device, 'tds', null)).toBeNull();
  });
});

describe('a threshold in words', () => {
  it('says its limits by severity, and whatever else is watched', () => {
    const said = summarise(id, whole, 'pH', 'id-ID');
    expect(said.map(({ severity }) => severity)).toEqual([
      'warning',
      'critical',
      'critical',
      'warning',
      'critical',
    ]);
    expect(said[0]?.text).toBe('5,5 sampai 6,5');
    expect(said[2]?.text).toMatch(/^perubahan 0,5 dalam 10/);
    expect(summarise(en, { high: { warning: 900 } }, 'mg/L', 'en-GB')).toEqual([
      { severity: 'warning', text: 'above 900 mg/L' },
    ]);
  });

  it('gives the chart a line for each limit that there is', () => {
    expect(linesOf({ low: { warning: 0 }, high: { critical: 9 } })).toEqual([
      { value: 0, severity: 'warning' },
      { value: 9, severity: 'critical' },
    ]);
    expect(linesOf(undefined)).toEqual([]);
  });

  it('names the fields that a probe can not see', () => {
    expect(beyondWords(id, ['high.critical', 'low.eaten'])).toBe('Kritis di atas, low.eaten');
  });
});
