// Owns which devices are shown and in which order: search, filter, sort. Pure, so that it is easy to test.
import type { Judged } from '$lib/state/roster.svelte';
import { byName } from '$lib/state/order';
import { attention } from '$lib/fleet/worst';
import type { Filter, Show } from './filter';
import { STATES } from './filter';

/** Whether a device is like that. What is revoked is history: nothing about it needs anybody. */
export function isLike(judged: Judged, show: Show, metric = ''): boolean {
  const there = judged.state !== 'revoked';
  if (show === 'faults') return there && (metric ? judged.faults.includes(metric) : judged.faults.length > 0);
  if (show === 'stale') return there && (metric ? judged.stale.includes(metric) : judged.stale.length > 0);
  if (show === 'alerts') return there && judged.alert !== null;
  return judged.state === show;
}

const measures = ({ device, latest }: Judged, metric: string): boolean =>
  metric in latest || metric in device.probes;

function finds({ device }: Judged, wanted: string): boolean {
  return (
    device.name.includes(wanted) ||
    device.serial?.includes(wanted) ||
    (device.location?.toLowerCase().includes(wanted) ?? false)
  );
}

/** `all` is in the order of names already, and what is equal stays in it. */
export function select(all: readonly Judged[], filter: Filter): Judged[] {
  const { show, location, metric, sort } = filter;
  const wanted = filter.q.trim().toLowerCase();
  const found = all.filter(
    (judged) =>
      (!show || isLike(judged, show, metric)) &&
      (!location || judged.device.location?.trim() === location) &&
      (!metric || measures(judged, metric)) &&
      (!wanted || finds(judged, wanted)),
  );
  return ordered(found, keyOf(sort));
}

type Key = (judged: Judged) => number | string;

/** What the list is ordered by. Without a value a device comes last, whichever way. */
function keyOf(sort: string): Key {
  if (sort === 'name') return () => 0;
  if (sort === 'attention') return attention;
  if (sort === 'seen') return ({ device }) => device.last_seen ?? -1;
  if (sort === 'location') return ({ device }) => device.location?.trim() || '\uffff';
  const sign = sort.startsWith('-') ? -1 : 1;
  const metric = sort.replace('-', '');
  return ({ latest }) => {
    const value = latest[metric]?.value;
    return value === null || value === undefined ? Number.POSITIVE_INFINITY : sign * value;
  };
}

function ordered(found: readonly Judged[], key: Key): Judged[] {
  return (
    found
      // A revoked device never stands between those at work.
      .map((judged) => ({ judged, last: Number(judged.state === 'revoked'), key: key(judged) }))
      .sort((a, b) => a.last - b.last || compare(a.key, b.key))
      .map(({ judged }) => judged)
  );
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'string' && typeof b === 'string') return byName(a, b);
  return a === b ? 0 : a < b ? -1 : 1;
}

export type Counts = Record<'all' | Show, number>;

export function count(all: readonly Judged[]): Counts {
  const counts: Counts = {
    all: all.length,
    online: 0,
    offline: 0,
    never: 0,
    quarantined: 0,
    revoked: 0,
    faults: 0,
    alerts: 0,
    stale: 0,
  };
  for (const judged of all) {
    for (const state of STATES) if (judged.state === state) counts[state] += 1;
    for (const show of ['faults', 'alerts', 'stale'] as const) if (isLike(judged, show)) counts[show] += 1;
  }
  return counts;
}
