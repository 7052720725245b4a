// Owns when an alert is heard: of which severity, and not within quiet hours, which what is critical breaks. Pure.
import type { Severity } from '$lib/api/alert-types';
import type { Notifications } from '$lib/api/types';

const minutes = (time: string): number => {
  const [hour = '0', minute = '0'] = time.split(':');
  return Number(hour) * 60 + Number(minute);
};

/** Whether a time of the day lies within hours that may go over midnight. Their end is not within. */
export function isQuiet(quiet: Notifications['quiet'], at: Date): boolean {
  if (!quiet) return false;
  const [now, from, to] = [at.getHours() * 60 + at.getMinutes(), minutes(quiet.from), minutes(quiet.to)];
  return from < to ? from <= now && now < to : from <= now || now < to;
}

export function isHeard({ severities, quiet }: Notifications, severity: Severity, at: Date): boolean {
  return severities.includes(severity) && (severity === 'critical' || !isQuiet(quiet, at));
}
