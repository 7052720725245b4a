// Owns how the address's query becomes the question for readings: period, devices, location, metric, status. Pure.
import type { ReadingsQuery, ReadingStatus } from '$lib/api/readings';
import { RANGE_MS } from '$lib/chart/ranges';

export const PERIODS = ['h24', 'd7', 'd30', 'own'] as const;
export type Period = (typeof PERIODS)[number];
export const STATUSES = ['all', 'good', 'fault', 'flagged'] as const satisfies readonly ReadingStatus[];
/** The names in the address; what stands there usually is absent. */
export const NAMES = ['period', 'from', 'to', 'devices', 'location', 'metric', 'status'] as const;
export type Name = (typeof NAMES)[number];

export interface Chosen {
  period: Period;
  /** Of one's own period; null while it is not said, or no time. */
  from: number | null;
  to: number | null;
  devices: readonly string[];
  location: string;
  metric: string;
  status: ReadingStatus;
}

export interface Span {
  from: number;
  to: number;
}

export function chosen(read: (name: Name) => string | null): Chosen {
  const time = (name: 'from' | 'to'): number | null => {
    const text = read(name);
    return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  const names = (read('devices') ?? '').split(',').map((name) => name.trim());
  return {
    period: PERIODS.find((each) => each === read('period')) ?? 'h24',
    from: time('from'),
    to: time('to'),
    devices: [...new Set(names.filter(Boolean))],
    location: read('location') ?? '',
    metric: read('metric') ?? '',
    status: STATUSES.find((each) => each === read('status')) ?? 'all',
  };
}

/** The time that is meant, until now; null while one's own period is no time. */
export function spanOf({ period, from, to }: Chosen, now: number): Span | null {
  if (period !== 'own') return { from: now - RANGE_MS[period], to: now };
  const end = to ?? now;
  const begin = from ?? end - RANGE_MS.h24;
  return begin < end ? { from: begin, to: end } : null;
}

/** What is not chosen is not asked. */
export function asked({ devices, location, metric, status }: Chosen, { from, to }: Span): ReadingsQuery {
  return {
    from: Math.floor(from),
    to: Math.ceil(to),
    ...(devices.length > 0 ? { device: devices.join(',') } : {}),
    ...(location ? { location } : {}),
    ...(metric ? { metric } : {}),
    ...(status === 'all' ? {} : { status }),
  };
}

export const isNarrowed = ({ devices, location, metric, status }: Chosen): boolean =>
  devices.length > 0 || location !== '' || metric !== '' || status !== 'all';
