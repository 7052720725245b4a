// Owns what is concluded from outages and availability: rows by subject, spans to ask for, which repeat. Pure.
import type { Availability, Outage, Per } from '$lib/api/alert-types';
import { byName } from '$lib/state/order';

const DAY_MS = 86_400_000;
/** How many of each fit side by side on a phone. */
const COLUMNS: Record<Per, number> = { day: 7, week: 6, month: 6 };
const LENGTH_MS: Record<Per, number> = { day: DAY_MS, week: 7 * DAY_MS, month: 30.5 * DAY_MS };

/** From when to ask, so that so many whole ones come; the running one is the last. */
export function spanFor(per: Per, now: number): { from: number; to: number } {
  return { from: Math.floor(now - (COLUMNS[per] - 1) * LENGTH_MS[per]), to: Math.ceil(now) };
}

export interface Row {
  name: string;
  cells: Availability[];
}

/** The rows of one kind of subject, each with its newest periods from left to right. */
export function rowsOf(all: readonly Availability[], of: 'device' | 'location', per: Per): Row[] {
  const rows = new Map<string, Availability[]>();
  for (const cell of all) {
    const name = cell[of];
    if (name === null || (of === 'location' && cell.device !== null)) continue;
    rows.set(name, [...(rows.get(name) ?? []), cell]);
  }
  return [...rows]
    .map(([name, cells]) => ({ name, cells: cells.toSorted((a, b) => a.from - b.from).slice(-COLUMNS[per]) }))
    .sort((a, b) => byName(a.name, b.name));
}

export type Verdict = 'good' | 'fair' | 'poor' | 'unknown';

/** Ninety-nine percent of a day is a quarter of an hour without it. */
export function verdictOf(percent: number | null): Verdict {
  if (percent === null) return 'unknown';
  if (percent >= 99.9) return 'good';
  return percent >= 99 ? 'fair' : 'poor';
}

const MANY = 3;

/** The outages that belong to a row of three or more of a device within a day. */
export function repeatedOnes(outages: readonly Outage[]): ReadonlySet<number> {
  const found = new Set<number>();
  const byDevice = new Map<string, Outage[]>();
  for (const outage of outages) {
    if (outage.device === null) continue; // the server itself
    byDevice.set(outage.device, [...(byDevice.get(outage.device) ?? []), outage]);
  }
  for (const group of byDevice.values()) {
    const sorted = group.toSorted((a, b) => a.started_at - b.started_at);
    for (let i = 0; i + MANY <= sorted.length; i += 1) {
      const run = sorted.slice(i, i + MANY);
      if ((run.at(-1)?.started_at ?? 0) - (run[0]?.started_at ?? 0) <= DAY_MS)
        run.forEach(({ id }) => found.add(id));
    }
  }
  return found;
}
