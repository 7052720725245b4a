// Owns what is concluded from outages and availability: rows by subject, spans to ask for, which repeat. Pure.
import type { Availability, Outage, Per } from '$lib/api/alert-types';
import { distinct } from '$lib/state/distinct';
import { byName } from '$lib/state/order';

/** More devices than these are no list to look through: a large fleet begins with its locations. */
export const LARGE = 200;
/** The server answers 20,000 rows at once, and counts one for each device and day. */
const MOST_AT_ONCE = 2_500;
/** Names in one question, and rows that are drawn at a time. */
const NAMES = 100;

interface Standing {
  name: string;
  location: string | null;
}

/** What to ask the server about, part by part; null where somebody has to say first which devices are meant. */
export function questionsFor(
  of: 'device' | 'location',
  all: readonly Standing[],
  { device, location }: { device: string; location: string },
): { device?: string; location?: string }[] | null {
  if (device) return [{ device }];
  const meant = location ? all.filter((each) => each.location === location) : all;
  if (meant.length <= (of === 'device' ? LARGE : MOST_AT_ONCE)) return [location ? { location } : {}];
  if (of === 'location') {
    if (location) return [{ location }];
    return distinct(all.map((each) => each.location)).map((each) => ({ location: each }));
  }
  if (!location) return null;
  const names = meant.map(({ name }) => name).sort(byName);
  const parts: { device: string }[] = [];
  for (let at = 0; at < names.length; at += NAMES)
    parts.push({ device: names.slice(at, at + NAMES).join(',') });
  return parts;
}

/** Who is not there, as a text: it changes when a device goes or comes back. */
export const awayOf = (all: readonly { name: string; state: string }[]): string =>
  all.flatMap(({ name, state }) => (state === 'online' ? [] : [name])).join(' ');

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
