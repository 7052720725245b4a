// Owns which kinds of acts can be asked for, alone or as a group: among alerts nobody would find what people did. Pure.
import type { Dictionary } from '$lib/i18n/dictionary';
import { id } from '$lib/i18n/id';

export type Act = keyof Dictionary['audit']['acts'];
export type Group = keyof Dictionary['audit']['groups'];

const ACTS = Object.keys(id.audit.acts) as Act[];

/** What the words of a group begin with. */
const BEGINNINGS: Record<Group, readonly string[]> = {
  devices: ['device.', 'calibration.', 'readings.'],
  enrolment: ['token.', 'registry.', 'policy.', 'authority.'],
  alerts: ['threshold.', 'alert.', 'alerts.', 'silence.', 'intake_token.', 'channel.', 'preset.'],
  people: ['user.', 'session.', 'key.'],
  server: ['backup.', 'audit.'],
};
export const GROUPS = Object.keys(BEGINNINGS) as Group[];

export const actsOf = (group: Group): Act[] =>
  ACTS.filter((act) => BEGINNINGS[group].some((beginning) => act.startsWith(beginning)));

/** The kinds that a choice means; none for all, and for what this version does not know. */
export function meant(choice: string): readonly Act[] {
  const group = GROUPS.find((each) => each === choice);
  return group ? actsOf(group) : ACTS.filter((act) => act === choice);
}
