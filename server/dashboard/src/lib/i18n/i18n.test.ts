// Checks what the compiler can't: that no text is empty or forgotten in English, and that words of the wire are known.
import { describe, expect, it } from 'vitest';
import { adminEn } from './admin.en';
import { adminId } from './admin.id';
import { en } from './en';
import { id } from './id';
import { reportsEn } from './reports.en';
import { reportsId } from './reports.id';
import {
  alarmText,
  calibrationProblem,
  faultWords,
  flagWords,
  metricName,
  problemText,
  troubleText,
} from './words';
import { Problem } from '$lib/api/problem';

type Tree = { [key: string]: unknown };

function leaves(tree: Tree, path = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [key, value] of Object.entries(tree)) {
    const here = path ? `${path}.${key}` : key;
    if (value !== null && typeof value === 'object') {
      for (const [inner, leaf] of leaves(value as Tree, here)) found.set(inner, leaf);
    } else found.set(here, value);
  }
  return found;
}

/** A function's text with marked arguments, so that a lost argument shows. */
const spoken = (leaf: unknown): string =>
  typeof leaf === 'function'
    ? String(
        (leaf as (...args: unknown[]) => string)(
          ...Array.from({ length: leaf.length }, (_, i) => (i === 0 ? 2 : `«${i}»`)),
        ),
      )
    : String(leaf);

// What only one page loads is no part of what all load.
const english = leaves({ ...en, admin: adminEn, reports: reportsEn });
const indonesian = leaves({ ...id, admin: adminId, reports: reportsId });

/** Words that are the same in both languages. */
const SHARED = [
  'name',
  'product',
  'metric.ph',
  'metric.tds',
  'metric.volume',
  'fleet.status',
  'device.min',
  'tokens.token',
  'calibration.setup.nist',
  'calibration.live.spread',
  'calibration.history.lot',
  'calibration.history.probe',
];

describe('the dictionaries', () => {
  it('have the same keys', () => {
    expect([...indonesian.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('leave no text empty', () => {
    for (const [key, leaf] of [...english, ...indonesian]) expect(spoken(leaf).trim(), key).not.toBe('');
  });

  it('translate every text', () => {
    for (const [key, leaf] of english) {
      if (SHARED.includes(key)) continue;
      expect(spoken(indonesian.get(key)), key).not.toBe(spoken(leaf));
    }
  });

  it('use every argument in both languages or in none', () => {
    for (const [key, leaf] of english) {
      for (const mark of ['«1»', '«2»']) {
        expect(spoken(indonesian.get(key)).includes(mark), `${key} ${mark}`).toBe(
          spoken(leaf).includes(mark),
        );
      }
    }
  });
});

describe('words of the wire', () => {
  it('have a text for every fault, flag and metric of the contract', () => {
    const faults = ['no_bus', 'no_answer', 'bus_error', 'not_ready', 'rail_low', 'rail_high', 'out_of_range'];
    const flags = [
      'simulated',
      'uncalibrated',
      'no_temperature',
      'saturated',
      'stuck',
      'out_of_range',
      'unstable',
      'calibrating',
    ];
    for (const t of [en, id]) {
      for (const fault of faults) expect(faultWords(t, fault)).not.toBe(t.fault.other);
      for (const flag of flags) expect(flagWords(t, flag)).not.toBe(t.flag.other);
    }
  });

  it('name the trouble of a device, and an unknown one by its own word', () => {
    expect(troubleText(id, 'disk_full')).toBe(id.device.trouble.disk_full);
    expect(troubleText(id, 'eaten_by_fish')).toContain('eaten_by_fish');
    expect(alarmText(id, 'ok')).toBe('');
    expect(alarmText(id, 'no_gpio')).toBe(id.device.alarm.no_gpio);
    expect(alarmText(id, 'eaten_by_fish')).toContain('eaten_by_fish');
  });

  it('carry the numbers of the device into the language of the reader', () => {
    const slope = {
      code: 'slope',
      text: 'the slope is 80.1 % of theory, 85 to 105 % is usable: the buffer is a wrong or an old one',
    };
    expect(calibrationProblem(id, slope, 'id-ID')).toMatch(/^Slope 80,1 %; .*85 sampai 105 %/);
    const offset = { code: 'offset', text: 'the electrode yields -41.2 mV at pH 7, at most 30 mV is usable' };
    expect(calibrationProblem(en, offset, 'en-GB')).toContain('-41.2 mV');
    const close = { code: 'too_close', text: 'two points are too close to each other (4 and 4.01): rinse' };
    expect(calibrationProblem(id, close, 'id-ID')).toContain('4 dan 4,01');
    const unknown = { code: 'eaten_by_fish', text: 'a fish ate it' };
    expect(calibrationProblem(id, unknown, 'id-ID')).toBe('a fish ate it');
    const wordless = { code: 'slope', text: 'the slope is wrong' };
    expect(calibrationProblem(id, wordless, 'id-ID')).toBe('the slope is wrong');
  });

  it('say what a refused order needs', () => {
    expect(problemText(id, new Problem(409, 'offline', '…'))).toBe(id.problem.offline);
    expect(problemText(id, new Problem(409, 'not_in_force', '…'))).toBe(id.problem.notInForce);
    expect(problemText(id, new Problem(422, 'invalid', 'nominal: …'))).toContain('nominal');
  });

  it('of a newer version are shown as unknown, never as nothing', () => {
    expect(faultWords(en, 'eaten_by_fish')).toBe(en.fault.other);
    expect(flagWords(en, 'title')).toBe(en.flag.other);
    expect(metricName(en, 'turbidity')).toBe('turbidity');
  });
});
