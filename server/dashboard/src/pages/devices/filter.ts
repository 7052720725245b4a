// Owns how the address's query becomes a choice among devices, and back. A link shows another person the same list. Pure.
import type { DeviceState } from '$lib/api/types';

/** What a device can be like. `faults`, `alerts` and `stale` go across its states. */
export const SHOWS = [
  'online',
  'offline',
  'faults',
  'alerts',
  'stale',
  'never',
  'quarantined',
  'revoked',
] as const;
export type Show = (typeof SHOWS)[number];
/** Besides these a metric is an order, too: its lowest values first, or with a minus before it its highest. */
export const SORTS = ['name', 'attention', 'seen', 'location'] as const;
export const VIEWS = ['table', 'cards'] as const;
export type View = (typeof VIEWS)[number];

export interface Filter {
  q: string;
  show: Show | '';
  location: string;
  /** Only devices that measure it; with `faults` those whose reading of it failed. */
  metric: string;
  /** One of SORTS, a metric, or a metric with a minus. */
  sort: string;
}
export type Name = keyof Filter;
/** What narrows the list; the order does not. */
export const NARROWING = ['q', 'show', 'location', 'metric'] as const;

const METRIC = /^-?[a-z][a-z0-9_]{0,31}$/;

export function chosen(read: (name: string) => string | null): Filter {
  const metric = read('metric') ?? '';
  const sort = read('sort') ?? '';
  return {
    q: read('q') ?? '',
    show: SHOWS.find((each) => each === read('show')) ?? '',
    location: read('location') ?? '',
    metric: METRIC.test(metric) ? metric : '',
    sort: METRIC.test(sort) ? sort : 'name',
  };
}

export const isNarrowed = (filter: Filter): boolean => NARROWING.some((name) => filter[name] !== '');

export const STATES: readonly DeviceState[] = ['online', 'offline', 'never', 'quarantined', 'revoked'];
