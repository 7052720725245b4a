// Checks the rules behind the pages: addresses, selection and order, ranges, intervals.
import type { Revision } from '$lib/api/types';
import { moved, parseRoute, paths } from '$lib/state/route';
import { describe, expect, it } from 'vitest';
import { changed, msOf, offered, same } from './device/intervals';
import { recomputedWithin } from './device/recomputed';
import { fittingRange, lifeWithin, windowAt } from '$lib/chart/ranges';
import { configLines } from './tokens/snippet';

describe('an address', () => {
  it('leads to its page and back', () => {
    expect(parseRoute('/')).toEqual({ page: 'overview' });
    expect(parseRoute(paths.fleet)).toEqual({ page: 'fleet' });
    expect(parseRoute(paths.map({ device: 'pi-7' }).split('?')[0] ?? '')).toEqual({ page: 'map' });
    expect(parseRoute('/compare')).toEqual({ page: 'compare' });
    expect(parseRoute('/history')).toEqual({ page: 'readings' });
    expect(parseRoute('/history/pi-1')).toEqual({ page: 'missing' });
    expect(paths.compare({ devices: 'pi-1,pi-2' })).toBe('/compare?devices=pi-1%2Cpi-2');
    expect(parseRoute(paths.device('pi-7'))).toEqual({ page: 'device', name: 'pi-7' });
    expect(parseRoute(paths.calibrate('pi-7', 'ph'))).toEqual({
      page: 'calibrate',
      name: 'pi-7',
      metric: 'ph',
    });
    expect(parseRoute(paths.calibrations('pi-7'))).toEqual({ page: 'calibrations', name: 'pi-7' });
    expect(parseRoute('/enrolment/')).toEqual({ page: 'enrolment' });
    expect(parseRoute(paths.registry)).toEqual({ page: 'registry' });
    expect(parseRoute(paths.users)).toEqual({ page: 'users' });
    expect(parseRoute(paths.password)).toEqual({ page: 'password' });
    expect(parseRoute(paths.waiting)).toEqual({ page: 'waiting' });
    expect(parseRoute('/audit')).toEqual({ page: 'audit' });
    expect(paths.audit({ device: 'pi-7' })).toBe('/audit?device=pi-7');
    expect(parseRoute(paths.claim)).toEqual({ page: 'claim', label: null });
    expect(parseRoute('/claim/pi-7')).toEqual({ page: 'claim', label: 'pi-7' });
    for (const wrong of [
      '/devices/pi-1/more',
      '/devices/%',
      '/claim/pi-1/more',
      '/claim/%',
      '/waiting/pi-1',
      '/nope',
      '/devices/pi-1/calibrate',
    ]) {
      expect(parseRoute(wrong), wrong).toEqual({ page: 'missing' });
    }
  });
});

describe('an address of before', () => {
  it('leads from the front page to the list of devices, with its search and filter', () => {
    expect(moved('/', '?show=faults&q=pi-7')).toBe('/devices?show=faults&q=pi-7');
    expect(moved('/', '?sort=attention')).toBe('/devices?sort=attention');
  });

  it('is left alone where it still means the same', () => {
    for (const [path, search] of [
      ['/', ''],
      ['/', '?utm=1'],
      ['/devices', '?show=online'],
      ['/alerts', '?q=ph'],
    ] as const)
      expect(moved(path, search), path + search).toBeNull();
  });
});

describe('a time range', () => {
  it('of a silent device still holds its last reading', () => {
    expect(fittingRange(null, 1e12)).toBe('m15');
    expect(fittingRange(1e12 - 47 * 60_000, 1e12)).toBe('h24');
    expect(fittingRange(1e12 - 90 * 86_400_000, 1e12)).toBe('d30');
  });

  it('of a young device is its life, and never shorter than two minutes', () => {
    const view = { from: 0, to: 3_600_000 };
    expect(lifeWithin(view, 600_000, 601_000).from).toBe(600_000);
    expect(lifeWithin(view, 3_590_000, 3_591_000).from).toBe(3_480_000);
    expect(lifeWithin(view, -1, 600_000)).toBe(view);
    expect(lifeWithin(view, 600_000, Infinity).from).toBe(600_000);
  });

  it('slides in steps that can be seen', () => {
    expect(windowAt('d30', 1e12)).toEqual(windowAt('d30', 1e12 + 1));
    const { from, to } = windowAt('h1', 1e12);
    expect(to - from).toBe(3_600_000);
    expect(to).toBeGreaterThanOrEqual(1e12);
  });
});

describe('an interval', () => {
  it('is taken between a tenth of a second and a day', () => {
    expect(msOf({ is: 'typed', text: '0,1' }, 'id-ID')).toBe(100);
    expect(msOf({ is: 'typed', text: '86400' }, 'id-ID')).toBe(86_400_000);
    for (const text of ['0', '0,05', '1.500', '86401', 'soon', ''])
      expect(msOf({ is: 'typed', text }, 'id-ID'), text).toBeNull();
    expect(msOf({ is: 'own' }, 'id-ID')).toBeUndefined();
  });

  it('that is no preset is offered all the same', () => {
    expect(offered(1_500)).toContain(1_500);
    expect(offered(undefined)).not.toContain(1_500);
  });

  it('changes alone, and can go back to the device’s own', () => {
    const present = { ph: 1_000, tds: 5_000 };
    expect(changed(present, { ph: { is: 'ms', ms: 2_000 } }, 'id-ID')).toEqual({ ph: 2_000, tds: 5_000 });
    expect(changed(present, { ph: { is: 'own' } }, 'id-ID')).toEqual({ tds: 5_000 });
    expect(changed(present, { ph: { is: 'typed', text: 'x' } }, 'id-ID')).toBeNull();
    expect(same(present, { tds: 5_000, ph: 1_000 })).toBe(true);
    expect(same(present, { tds: 5_000 })).toBe(false);
  });
});

it('a chart says that values in it were recomputed, if any of them changed', () => {
  const revision = { metric: 'ph', from: 100, to: 200, changed: 3 } as Revision;
  const view = { from: 150, to: 300 };
  expect(recomputedWithin([revision], 'ph', view)).toBe(true);
  expect(recomputedWithin([revision], 'tds', view)).toBe(false);
  expect(recomputedWithin([revision], 'ph', { from: 200, to: 300 })).toBe(false);
  expect(recomputedWithin([{ ...revision, changed: 0 }], 'ph', view)).toBe(false);
});

it('gives an agent all that it needs to enrol, and never a plain address', () => {
  const token = { token: 'abc', ca_sha256: 'f00d' };
  expect(configLines(token, 'https://kolam.local:8443')).toBe(
    '[server]\nurl = "https://kolam.local:8443"\nca_sha256 = "f00d"\ntoken = "abc"',
  );
  expect(configLines(token, 'http://127.0.0.1:8080')).not.toContain('http://');
});
