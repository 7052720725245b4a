// Owns what a report concludes from its rows: totals for the summary, the words of a limit. Pure.
import type { Availability } from '$lib/api/alert-types';
import type { Exceedance, HeldLimit, StatisticsRow } from '$lib/api/reports';

export interface Totals {
  devices: number;
  values: number;
  readings: number;
  faults: number;
  simulated: number;
  unsynced: number;
  /** In percent of what was to be expected; null if nobody can say. */
  coverage: number | null;
}

export function totalsOf(rows: readonly StatisticsRow[]): Totals {
  const sum = (of: (row: StatisticsRow) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const known = rows.filter(({ expected }) => expected !== null && expected > 0);
  const expected = known.reduce((all, row) => all + (row.expected ?? 0), 0);
  // One that measured more than it had to makes up for nobody.
  const had = known.reduce((all, row) => all + Math.min(row.good + row.flagged, row.expected ?? 0), 0);
  return {
    devices: new Set(rows.map(({ device }) => device)).size,
    values: sum(({ good, flagged }) => good + flagged),
    readings: sum(({ readings }) => readings),
    faults: sum(({ faults }) => faults),
    simulated: sum(({ simulated }) => simulated),
    unsynced: sum(({ unsynced }) => unsynced),
    coverage: expected > 0 ? (100 * had) / expected : null,
  };
}

export interface Passed {
  episodes: number;
  critical: number;
  ms: number;
}

export function passedOf(rows: readonly Exceedance[]): Passed {
  return rows.reduce(
    (all, row) => ({
      episodes: all.episodes + row.episodes,
      critical: all.critical + row.critical_episodes,
      ms: all.ms + row.beyond_ms,
    }),
    { episodes: 0, critical: 0, ms: 0 },
  );
}

/** The mean of the devices whose share is known; null if none is. */
export function meanAvailability(rows: readonly Availability[]): number | null {
  const known = rows.flatMap(({ availability_percent }) => availability_percent ?? []);
  return known.length > 0 ? known.reduce((all, each) => all + each, 0) / known.length : null;
}

/** Limits that held, the same one after the other told once; only what a reader can compare with. */
export function distinctLimits(limits: readonly HeldLimit[]): HeldLimit[] {
  const seen = new Set<string>();
  return limits.filter(({ warning, critical, scope, target, version }) => {
    const key = [warning, critical, scope, target, version].join(' ');
    return !seen.has(key) && seen.add(key);
  });
}

/** The names that stand in a list with commas; none if there is none. */
export const namesIn = (list: string | null): string[] => (list ? list.split(',').filter(Boolean) : []);
