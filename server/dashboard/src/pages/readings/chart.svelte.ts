// Owns the series behind the chart of the history: one metric of some devices in a period that stands still.
import { api } from '$lib/api/client';
import type { Series } from '$lib/api/types';
import { MOST } from '$lib/fleet/compared';
import { byName } from '$lib/state/order';
import type { Span } from './filter';

export interface Drawn {
  devices: readonly string[];
  series: ReadonlyMap<string, Series>;
  /** How many have something to draw; more than those that are drawn, if they can't be told apart. */
  found: number;
}

/** Of the devices that are meant, as many as can be told apart; if none is named, the first that have anything. */
export async function drawn(
  devices: readonly string[] | null,
  metric: string,
  span: Span,
  points: number,
): Promise<Drawn> {
  const named = devices?.slice(0, MOST) ?? null;
  // One question for each: all of a fleet are asked for at once only where nobody is named.
  const series = named
    ? await Promise.all(named.map((name) => api.series(name, metric, span, points)))
    : await api.trends(metric, span, points);
  const any = series.filter(({ time }) => time.length > 0).toSorted((a, b) => byName(a.device, b.device));
  const few = any.slice(0, MOST);
  return {
    devices: few.map(({ device }) => device),
    series: new Map(few.map((each) => [each.device, each])),
    found: Math.max(any.length, devices?.length ?? 0),
  };
}
