// Checks which devices are listed, in which order, and what their addresses mean.
import { judged } from '$lib/fleet/examples';
import type { Judged } from '$lib/state/roster.svelte';
import { describe, expect, it } from 'vitest';
import { chosen, isNarrowed, type Filter } from './filter';
import { count, select } from './select';

const filter = (query = ''): Filter => chosen((name) => new URLSearchParams(query).get(name));
const named = (found: readonly Judged[]): string[] => found.map(({ name }) => name);

/** In the order of names, as the roster gives them. */
const all = [
  judged('pi-1', { state: 'revoked', values: { ph: null } }),
  judged('pi-2', { values: { ph: null, tds: 900 }, device: { location: 'Kolam 2' } }),
  judged('pi-3', { state: 'offline', values: { ph: 6.5, tds: 700 }, device: { location: 'Kolam 10' } }),
  judged('pi-4', { state: 'never', device: { last_seen: null } }),
  judged('pi-10', { values: { ph: 7.5 }, stale: ['ph'], alert: 'warning', device: { last_seen: 49_000 } }),
];

describe('the list', () => {
  it('is in the order of names, with decommissioned devices last', () => {
    expect(named(select(all, filter()))).toEqual(['pi-2', 'pi-3', 'pi-4', 'pi-10', 'pi-1']);
  });

  it('can begin with what needs a person, or with the longest silent', () => {
    expect(named(select(all, filter('sort=attention')))).toEqual(['pi-2', 'pi-3', 'pi-10', 'pi-4', 'pi-1']);
    expect(named(select(all, filter('sort=seen')))[1]).toBe('pi-10');
  });

  it('is ordered by a value either way, and what has none comes last', () => {
    expect(named(select(all, filter('sort=ph')))).toEqual(['pi-3', 'pi-10', 'pi-2', 'pi-4', 'pi-1']);
    expect(named(select(all, filter('sort=-ph'))).slice(0, 2)).toEqual(['pi-10', 'pi-3']);
  });

  it('is ordered by location the way people count, without a location last', () => {
    expect(named(select(all, filter('sort=location'))).slice(0, 2)).toEqual(['pi-2', 'pi-3']);
  });

  it('is searched by name, serial and location, whatever the case', () => {
    expect(named(select(all, filter('q= PI-10 ')))).toEqual(['pi-10']);
    expect(named(select(all, filter('q=00000003')))).toEqual(['pi-3']);
    expect(named(select(all, filter('q=KOLAM 2')))).toEqual(['pi-2']);
  });

  it('is narrowed by what a device is like, where it is and what it measures, all together', () => {
    expect(named(select(all, filter('show=online')))).toEqual(['pi-2', 'pi-10']);
    expect(named(select(all, filter('show=stale')))).toEqual(['pi-10']);
    expect(named(select(all, filter('show=alerts')))).toEqual(['pi-10']);
    expect(named(select(all, filter('location=Kolam 10')))).toEqual(['pi-3']);
    expect(named(select(all, filter('metric=tds')))).toEqual(['pi-2', 'pi-3']);
    expect(named(select(all, filter('show=faults&metric=ph')))).toEqual(['pi-2']);
    expect(named(select(all, filter('show=faults&metric=tds')))).toEqual([]);
  });

  it('counts what it would show', () => {
    const counts = count(all);
    expect(counts).toMatchObject({ all: 5, online: 2, offline: 1, faults: 1, never: 1, alerts: 1, stale: 1 });
    for (const show of ['online', 'offline', 'faults', 'never', 'alerts', 'stale', 'revoked'] as const)
      expect(select(all, filter(`show=${show}`)), show).toHaveLength(counts[show]);
  });
});

describe('an address of the list', () => {
  it('that says nonsense means nothing', () => {
    expect(filter('show=everything&sort=<b>&metric=a b')).toMatchObject({
      show: '',
      sort: 'name',
      metric: '',
    });
  });

  it('is narrowed by anything but the order', () => {
    expect(isNarrowed(filter('sort=-ph'))).toBe(false);
    expect(isNarrowed(filter('q=a'))).toBe(true);
  });
});
