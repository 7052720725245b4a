// Owns how the numbers and details of an alert are told. Pure.
import type { Alert } from '$lib/api/alert-types';
import { formatValue } from '$lib/format/number';

/** A value of the alert's metric with its unit; a number without a metric as it is. */
export function valueText(
  { metric, unit }: Pick<Alert, 'metric' | 'unit'>,
  value: number,
  locale: string,
): string {
  const text = metric ? formatValue(value, metric, locale) : value.toLocaleString(locale);
  return unit && unit !== 'pH' ? `${text} ${unit}` : text;
}

/** Around what happened: long enough before to see it coming, and never wider than a week. */
export function windowAround({ since, resolved_at }: Pick<Alert, 'since' | 'resolved_at'>, now: number) {
  const WEEK_MS = 7 * 86_400_000;
  const MARGIN_MS = 15 * 60_000;
  const end = Math.min(resolved_at ?? now, since + WEEK_MS);
  const margin = Math.max(MARGIN_MS, (end - since) / 4);
  return { from: since - margin, to: Math.min(now, end + margin) };
}

/** Whether the present lies in that window: then live readings belong in it. */
export const reachesNow = (alert: Pick<Alert, 'since' | 'resolved_at'>, now: number): boolean =>
  windowAround(alert, now).to === now;

/** Details with simple values only: what is nested is for machines, as is the number of an outage. */
export function plainDetails(detail: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(detail)
    .filter(([key]) => key !== 'outage')
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value) && value !== '')
    .map(([key, value]) => [key, String(value)]);
}
