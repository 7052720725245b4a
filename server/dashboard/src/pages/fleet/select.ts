// Owns which devices are shown and in which order: search, filter, sort. Pure, so that it is easy to test.
import type { Device, DeviceState } from '$lib/api/types';
import { urgency } from '$lib/state/health';

export type Filter = 'all' | 'online' | 'offline' | 'faults' | 'never';
export const FILTERS: readonly Filter[] = ['all', 'online', 'offline', 'faults', 'never'];
export type Sort = 'name' | 'attention';
export const SORTS: readonly Sort[] = ['name', 'attention'];

/** What this module needs to know of a device. */
export interface Candidate {
  readonly device: Device;
  readonly state: DeviceState;
  readonly faults: readonly string[];
}

// pi-2 comes before pi-10.
const names = new Intl.Collator('en', { numeric: true });

function passes(candidate: Candidate, filter: Filter): boolean {
  if (filter === 'all') return true;
  if (filter === 'faults') return candidate.faults.length > 0 && candidate.state !== 'revoked';
  return candidate.state === filter;
}

export function select<T extends Candidate>(
  all: Iterable<T>,
  search: string,
  filter: Filter,
  sort: Sort,
): T[] {
  const wanted = search.trim().toLowerCase();
  const found = [...all].filter(
    (candidate) =>
      passes(candidate, filter) &&
      (candidate.device.name.includes(wanted) || candidate.device.serial?.includes(wanted)),
  );
  // A revoked device is history: it never stands between those at work.
  const rank = (candidate: T): number =>
    sort === 'attention'
      ? urgency(candidate.state, candidate.faults.length)
      : Number(candidate.state === 'revoked');
  return found
    .map((candidate) => ({ candidate, rank: rank(candidate) }))
    .sort((a, b) => a.rank - b.rank || names.compare(a.candidate.device.name, b.candidate.device.name))
    .map(({ candidate }) => candidate);
}

export type Counts = Record<Filter, number>;

export function count(all: Iterable<Candidate>): Counts {
  const counts: Counts = { all: 0, online: 0, offline: 0, faults: 0, never: 0 };
  for (const candidate of all) {
    for (const filter of FILTERS) if (passes(candidate, filter)) counts[filter] += 1;
  }
  return counts;
}
