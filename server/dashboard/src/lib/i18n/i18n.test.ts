// Checks what the compiler can't: that no text is empty or forgotten in English, and that words of the wire are known.
import { describe, expect, it } from 'vitest';
import { en } from './en';
import { id } from './id';
import { faultWords, flagWords, metricName } from './words';

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

const english = leaves(en);
const indonesian = leaves(id);

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
    ];
    for (const t of [en, id]) {
      for (const fault of faults) expect(faultWords(t, fault)).not.toBe(t.fault.other);
      for (const flag of flags) expect(flagWords(t, flag)).not.toBe(t.flag.other);
    }
  });

  it('of a newer version are shown as unknown, never as nothing', () => {
    expect(faultWords(en, 'eaten_by_fish')).toBe(en.fault.other);
    expect(flagWords(en, 'title')).toBe(en.flag.other);
    expect(metricName(en, 'turbidity')).toBe('turbidity');
  });
});
