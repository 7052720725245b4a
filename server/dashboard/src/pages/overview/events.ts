// Owns what happened last, as one list: alerts as they came and went, and absences that no alert tells of. Pure.
import type { Alert, Outage, Severity } from '$lib/api/alert-types';

export type Event =
  | { key: string; at: number; is: 'raised' | 'resolved'; alert: Alert; severity: Severity }
  | { key: string; at: number; is: 'outage'; outage: Outage };

/** The newest first. What is one to the server may be two here: when it came, and when it was over. */
export function eventsOf(alerts: readonly Alert[], outages: readonly Outage[], most: number): Event[] {
  const found: Event[] = [];
  for (const alert of alerts) {
    // A part of a larger alert is told by that one.
    if (alert.parent !== null) continue;
    const { id, severity } = alert;
    found.push({ key: `a${id}`, at: alert.raised_at, is: 'raised', alert, severity });
    if (alert.resolved_at !== null)
      found.push({ key: `r${id}`, at: alert.resolved_at, is: 'resolved', alert, severity });
  }
  for (const outage of outages) {
    if (outage.alert !== null) continue;
    found.push({ key: `o${outage.id}`, at: outage.ended_at ?? outage.started_at, is: 'outage', outage });
  }
  return found.sort((a, b) => b.at - a.at).slice(0, most);
}
