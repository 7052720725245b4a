// Owns how live news changes what is known of alerts, and whether somebody is told: pure functions. No screen, no network.
import type { Alert, News, Severity } from '$lib/api/alert-types';

/** Alerts that are not over, by id. */
export type Active = ReadonlyMap<number, Alert>;

/** What is known after the news: an alert that is over leaves, every other one is as the news says. */
export function mergeNews(active: Active, news: readonly News[]): Active {
  const merged = new Map(active);
  for (const { alert } of news) {
    if (!alert) continue;
    if (alert.state === 'resolved') merged.delete(alert.id);
    else merged.set(alert.id, alert);
  }
  return merged;
}

/** The same, within a list that is on the screen: in its place, so that nothing jumps under a finger. */
export function replaceIn(list: readonly Alert[], news: readonly News[]): readonly Alert[] {
  const fresh = new Map(news.flatMap(({ alert }) => (alert ? [[alert.id, alert] as const] : [])));
  return list.some(({ id }) => fresh.has(id)) ? list.map((alert) => fresh.get(alert.id) ?? alert) : list;
}

const RANK: Record<Severity, number> = { warning: 1, critical: 2 };
const FIRST = ['low', 'high', 'rate', 'missing'];

export const keyOf = (device: string, metric: string): string => `${device} ${metric}`;

/** The worst alert of each metric of each device. A failing probe has its own words already. */
export function levels(active: Active): ReadonlyMap<string, Severity> {
  const found = new Map<string, Severity>();
  for (const { device, metric, kind, severity } of active.values()) {
    if (!device || !metric || !FIRST.includes(kind)) continue;
    const key = keyOf(device, metric);
    const known = found.get(key);
    if (!known || RANK[severity] > RANK[known]) found.set(key, severity);
  }
  return found;
}

/** The worst first, of those the newest first. */
export function inOrder(alerts: Iterable<Alert>): Alert[] {
  return [...alerts].sort((a, b) => RANK[b.severity] - RANK[a.severity] || b.id - a.id);
}

/** How loudly news is told: not at all, in passing, as a warning, or so that it stays until somebody closes it. */
export type Loudness = 'silent' | 'calm' | 'warning' | 'critical';

const BEGINS = ['raised', 'escalated', 'reopened'];

/** Whether it says that an alert begins or gets worse. */
export const begins = ({ what }: News): boolean => BEGINS.includes(what);

export function loudness(news: News, now: number): Loudness {
  const { what, alert, alerts } = news;
  if (what === 'digest') return (alerts?.length ?? 0) > 0 ? 'calm' : 'silent';
  if (!alert || quiet(alert, now)) return 'silent';
  if (begins(news)) return alert.severity;
  return what === 'cleared' || what === 'eased' ? 'calm' : 'silent';
}

/** What came and went while nothing was heard: what calls for somebody now, and of what there is no more to say. */
export interface Missed {
  begun: readonly Alert[];
  over: readonly number[];
}

/** `most`: a list as long as that may have left older ones out. */
export function missed(before: Active, after: Active, now: number, most: number): Missed {
  const newest = Math.max(0, ...before.keys());
  const calls = (alert: Alert): boolean => {
    const known = before.get(alert.id);
    if (alert.severity !== 'critical' || alert.state !== 'open') return false;
    if (known?.severity === 'critical' && known.state === 'open') return false;
    if (!known && before.size >= most && alert.id < newest) return false;
    return !quiet(alert, now);
  };
  const whole = after.size < most;
  const over = [...before.values()].filter(({ id, state }) => {
    const found = after.get(id);
    return found ? found.state === 'acknowledged' && state === 'open' : whole;
  });
  return { begun: [...after.values()].filter(calls), over: over.map(({ id }) => id) };
}

/** Nobody is to be disturbed by it. */
const quiet = (alert: Alert, now: number): boolean =>
  alert.silenced || alert.parent !== null || alert.historical || (alert.snoozed_until ?? 0) > now;

/** Remembers the keys of the last news: what comes twice, over a new connection or from two servers, is told once. */
export class Told {
  readonly #keys = new Set<string>();

  constructor(private readonly most = 500) {}

  /** True the first time. */
  first(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > this.most) this.#keys.delete(this.#keys.values().next().value ?? '');
    return true;
  }
}
