// Checks that an address means one question and that a question leads back to its address.
import { describe, expect, it } from 'vitest';
import { asked, chosen, isNarrowed, spanOf } from './filter';

const NOW = 1_763_690_400_000;
const read = (query: string) => {
  const params = new URLSearchParams(query);
  return chosen((name) => params.get(name));
};

describe('the question of an address', () => {
  it('is the last day of everything if nothing is said', () => {
    const all = read('');
    expect(isNarrowed(all)).toBe(false);
    expect(asked(all, spanOf(all, NOW)!)).toEqual({ from: NOW - 86_400_000, to: NOW });
  });

  it('holds what is chosen, each device once, and leaves out what no version knows', () => {
    const some = read('period=d7&devices=pi-2,pi-1,,pi-2&metric=ph&status=fault&location=Kolam 1');
    expect(isNarrowed(some)).toBe(true);
    expect(asked(some, spanOf(some, NOW)!)).toEqual({
      from: NOW - 7 * 86_400_000,
      to: NOW,
      device: 'pi-2,pi-1',
      location: 'Kolam 1',
      metric: 'ph',
      status: 'fault',
    });
    expect(read('period=year&status=odd')).toEqual(read(''));
  });

  it('has a period of its own, which is none while it is upside down', () => {
    const own = read(`period=own&from=${NOW - 5_000}&to=${NOW - 1_000}`);
    expect(spanOf(own, NOW)).toEqual({ from: NOW - 5_000, to: NOW - 1_000 });
    expect(spanOf(read(`period=own&from=${NOW}&to=${NOW}`), NOW)).toBeNull();
    expect(spanOf(read('period=own&from=yesterday'), NOW)).toEqual({ from: NOW - 86_400_000, to: NOW });
  });
});
