// Checks when an alert is heard.
import { describe, expect, it } from 'vitest';
import type { Notifications } from '$lib/api/types';
import { isHeard, isQuiet } from './quiet';

const at = (time: string): Date => new Date(`2025-11-21T${time}:00`);
const wanted = (more: Partial<Notifications>): Notifications => ({
  severities: ['warning', 'critical'],
  sound: true,
  browser: true,
  quiet: null,
  ...more,
});

describe('quiet hours', () => {
  it('go over midnight when they end before they begin', () => {
    const quiet = { from: '22:00', to: '05:30' };
    for (const time of ['22:00', '23:59', '00:00', '05:29'])
      expect(isQuiet(quiet, at(time)), time).toBe(true);
    for (const time of ['05:30', '12:00', '21:59']) expect(isQuiet(quiet, at(time)), time).toBe(false);
  });

  it('lie within a day otherwise, and are never without any', () => {
    const quiet = { from: '12:00', to: '13:00' };
    expect(isQuiet(quiet, at('12:30'))).toBe(true);
    expect(isQuiet(quiet, at('13:00'))).toBe(false);
    expect(isQuiet(null, at('03:00'))).toBe(false);
  });
});

describe('an alert', () => {
  it('is heard by day as it was chosen, and by night only if it is critical', () => {
    const quiet = { from: '22:00', to: '06:00' };
    expect(isHeard(wanted({ quiet }), 'warning', at('12:00'))).toBe(true);
    expect(isHeard(wanted({ quiet }), 'warning', at('23:00'))).toBe(false);
    expect(isHeard(wanted({ quiet }), 'critical', at('23:00'))).toBe(true);
    expect(isHeard(wanted({ severities: ['critical'] }), 'warning', at('12:00'))).toBe(false);
    expect(isHeard(wanted({ severities: [] }), 'critical', at('12:00'))).toBe(false);
  });
});
