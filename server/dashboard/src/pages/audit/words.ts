// Owns how an entry of the audit log is told. What this version does not know is shown as the server says it.
import type { AuditEntry } from '$lib/api/types';
import type { Dictionary } from '$lib/i18n/dictionary';
import type { IconName } from '$lib/ui/icons';

type Texts = Dictionary['audit'];

export function actWords(t: Texts, act: string): string {
  return Object.hasOwn(t.acts, act) ? t.acts[act as keyof Texts['acts']] : act;
}

export function whoWords(t: Texts, who: string): string {
  if (who === 'device') return t.byDevice;
  if (who === 'visitor') return t.byVisitor;
  return who === 'server' ? t.byServer : who;
}

/** What somebody should look at stands out. */
const ODD = new Set([
  'device.second_key',
  'device.quarantined',
  'device.copied_card',
  'device.refused',
  'session.reused',
  'backup.failed',
]);

export const isOdd = (act: string): boolean => ODD.has(act);

const ICONS: readonly (readonly [string, IconName])[] = [
  ['token.', 'key'],
  ['registry.', 'sheet'],
  ['device.enrolled', 'check'],
  ['device.approved', 'check'],
  ['device.returned', 'check'],
  ['device.waiting', 'door'],
  ['device.refused', 'ban'],
  ['device.revoked', 'ban'],
  ['device.quarantined', 'twins'],
  ['device.copied_card', 'twins'],
  ['device.second_key', 'key'],
  ['device.replaced', 'swap'],
  ['device.claimed', 'pin'],
  ['policy.', 'clock'],
  ['threshold.', 'limits'],
  ['alert', 'bell'],
  ['silence.', 'mute'],
  ['intake_token.', 'key'],
  ['session.started', 'door'],
  ['session.ended', 'leave'],
  ['backup.failed', 'alert'],
  ['backup.taken', 'download'],
  ['backup.', 'copy'],
  ['channel.', 'send'],
  ['preset.', 'limits'],
  ['user.refused', 'ban'],
  ['user.', 'person'],
];

export function actIcon(act: string): IconName {
  return ICONS.find(([start]) => act.startsWith(start))?.[1] ?? 'shield';
}

/** Long numbers such as fingerprints say enough with their beginning. */
const LONG = 20;

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ');
  if (value === null || typeof value !== 'object') {
    const text = String(value);
    return /^[0-9a-f]+$/.test(text) && text.length > LONG ? `${text.slice(0, 16)}…` : text;
  }
  return Object.entries(value)
    .map(([key, inner]) => `${key}: ${plain(inner)}`)
    .join(', ');
}

/** An instant on the wire: milliseconds under a name that says so. */
const INSTANT = /(?:^|_)(?:at|until)$/;
/** From when and until when something holds; smaller numbers under these names are no instants. */
const SPAN = /^(?:from|to)$/;
const FIRST_INSTANT = 1e12;

function valueWords(t: Dictionary, key: string, value: unknown, instant: (time: number) => string): string {
  if (typeof value === 'number' && (INSTANT.test(key) || (SPAN.test(key) && value > FIRST_INSTANT)))
    return instant(value);
  if (typeof value === 'boolean') return value ? t.audit.yes : t.audit.no;
  const { reasons } = t.identity.waiting;
  if (key === 'reason' && typeof value === 'string' && Object.hasOwn(reasons, value))
    return reasons[value as keyof typeof reasons].short;
  const { reasons: ends, factors } = t.security.log;
  if (key === 'reason' && typeof value === 'string' && Object.hasOwn(ends, value))
    return ends[value as keyof typeof ends];
  if (key === 'second_factor' && typeof value === 'string' && Object.hasOwn(factors, value))
    return factors[value as keyof typeof factors];
  if (key === 'admits' && value === 'any') return t.tokens.admitsAny;
  if (key === 'admits' && value === 'registered') return t.tokens.admitsRegistered;
  return plain(value);
}

/** The details as pairs of a name and a value, none of them left out; what has no words stays as the server says it. */
export function detailPairs(
  t: Dictionary,
  { detail }: Pick<AuditEntry, 'detail'>,
  instant: (time: number) => string,
): [string, string][] {
  const { keys } = t.audit;
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => [
      Object.hasOwn(keys, key) ? keys[key as keyof Texts['keys']] : key,
      valueWords(t, key, value, instant),
    ]);
}
