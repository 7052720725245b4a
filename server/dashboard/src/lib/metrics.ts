// Owns what the dashboard knows about each metric: order, digits, icon, colour. A metric of a newer
// server is shown all the same, under its own name and in a neutral colour.
import type { Metric } from '$lib/api/types';
import type { IconName } from './ui/icons';

export interface MetricInfo {
  /** Decimals that mean something for this quantity. */
  digits: number;
  icon: IconName;
  /** The custom property that holds its colour. */
  colour: string;
  /** Least height of a chart's scale, so that noise does not look like a storm. */
  span: number;
}

const KNOWN: Record<Metric, MetricInfo> = {
  ph: { digits: 2, icon: 'flask', colour: '--ph', span: 0.4 },
  tds: { digits: 0, icon: 'grains', colour: '--tds', span: 20 },
  temperature: { digits: 1, icon: 'thermometer', colour: '--temperature', span: 1 },
  volume: { digits: 1, icon: 'tank', colour: '--volume', span: 5 },
  ec: { digits: 0, icon: 'bolt', colour: '--other', span: 20 },
  level: { digits: 2, icon: 'level', colour: '--other', span: 0.1 },
  pressure: { digits: 1, icon: 'gauge', colour: '--other', span: 1 },
  flow: { digits: 1, icon: 'flow', colour: '--other', span: 1 },
  speed: { digits: 2, icon: 'flow', colour: '--other', span: 0.1 },
};

const UNKNOWN: MetricInfo = { digits: 2, icon: 'gauge', colour: '--other', span: 1 };

/** The four that every device is expected to have, in the order of the screen. */
export const CORE_METRICS = ['ph', 'tds', 'temperature', 'volume'] as const;

export function metricOf(metric: string): MetricInfo {
  return metric in KNOWN ? KNOWN[metric as Metric] : UNKNOWN;
}

/** The core four and whatever else there is, in the order of the screen. */
export function orderMetrics(metrics: Iterable<string>): string[] {
  const known = Object.keys(KNOWN);
  const place = (metric: string): number => (known.includes(metric) ? known.indexOf(metric) : known.length);
  return [...new Set(metrics)].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}
