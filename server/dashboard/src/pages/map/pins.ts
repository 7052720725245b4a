// Owns which devices the map shows: what the address asks for, who stands somewhere, and in which order they are read. Pure.
import type { Judged } from '$lib/state/roster.svelte';
import { LOOKS, lookOf, type Look } from './look';

export interface Filter {
  q: string;
  show: Look | '';
  location: string;
}
export type Name = keyof Filter;
export const NARROWING = ['q', 'show', 'location'] as const satisfies readonly Name[];

export function chosen(read: (name: string) => string | null): Filter {
  return {
    q: read('q') ?? '',
    show: LOOKS.find((look) => look === read('show')) ?? '',
    location: read('location') ?? '',
  };
}

export const isNarrowed = (filter: Filter): boolean => NARROWING.some((name) => filter[name] !== '');

/** A device that may be on the map. */
export interface Seen {
  readonly judged: Judged;
  readonly look: Look;
}

/** A device that is on it. */
export interface Pin extends Seen {
  readonly latitude: number;
  readonly longitude: number;
}

/** All that are in service, the worst first; equal ones stay in the order of their names. */
export function seenOf(all: readonly Judged[]): Seen[] {
  const found = all.flatMap((judged) => {
    const look = lookOf(judged);
    return look ? [{ judged, look }] : [];
  });
  return found.sort((a, b) => LOOKS.indexOf(a.look) - LOOKS.indexOf(b.look));
}

function finds({ name, device: { location, serial } }: Judged, wanted: string): boolean {
  return [name, location, serial].some((text) => text?.toLowerCase().includes(wanted));
}

/** Those that search and location leave; the counts of the looks are of them. */
export function within(seen: readonly Seen[], { q, location }: Filter): Seen[] {
  const wanted = q.trim().toLowerCase();
  return seen.filter(
    ({ judged }) =>
      (!location || judged.device.location?.trim() === location) && (!wanted || finds(judged, wanted)),
  );
}

export function countsOf(seen: readonly Seen[]): Record<Look, number> {
  const counts: Record<Look, number> = { critical: 0, offline: 0, warning: 0, online: 0, unknown: 0 };
  for (const { look } of seen) counts[look] += 1;
  return counts;
}

/** Those with a position, and those without. */
export function placed(seen: readonly Seen[]): { pins: Pin[]; unplaced: Seen[] } {
  const pins: Pin[] = [];
  const unplaced: Seen[] = [];
  for (const each of seen) {
    const { latitude, longitude } = each.judged.device;
    if (latitude === null || longitude === null) unplaced.push(each);
    else pins.push({ ...each, latitude, longitude });
  }
  return { pins, unplaced };
}

/** Where they all are: south, west, north, east; null if nobody is anywhere. */
export function boundsOf(pins: readonly Pin[]): [number, number, number, number] | null {
  const [first, ...others] = pins;
  if (!first) return null;
  let [south, west, north, east] = [first.latitude, first.longitude, first.latitude, first.longitude];
  for (const { latitude, longitude } of others) {
    [south, north] = [Math.min(south, latitude), Math.max(north, latitude)];
    [west, east] = [Math.min(west, longitude), Math.max(east, longitude)];
  }
  return [south, west, north, east];
}

/** Whether two lists would be drawn alike. */
export const drawnAlike = (before: readonly Pin[], after: readonly Pin[]): boolean =>
  before.length === after.length &&
  before.every((pin, i) => {
    const other = after[i];
    return (
      other !== undefined &&
      pin.judged.name === other.judged.name &&
      pin.look === other.look &&
      pin.latitude === other.latitude &&
      pin.longitude === other.longitude &&
      pin.judged.device.simulated === other.judged.device.simulated &&
      pin.judged.device.location === other.judged.device.location
    );
  });
