// Owns how much of a preview is told. Pure.
import type { Preview } from '$lib/api/alert-types';

/** The newest ones: the older ones are counted. */
export function newest({ alerts, count }: Pick<Preview, 'alerts' | 'count'>, most: number) {
  const shown = alerts.toSorted((a, b) => b.raised_at - a.raised_at).slice(0, most);
  return { shown, more: Math.max(0, count - shown.length) };
}
