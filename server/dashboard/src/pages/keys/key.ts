// Owns what is typed of a new key, and the command that tries it. Pure.
import type { ApiKey, CreatedKey, KeyState, Permission } from '$lib/api/types';

/** What programs are usually given first; no key makes accounts or keys, or calibrates. */
const ORDER: readonly Permission[] = [
  'read',
  'write_readings',
  'approve_devices',
  'configure_devices',
  'claim_devices',
  'handle_alerts',
  'oversee_alerts',
  'set_thresholds',
  'silence',
  'manage_fleet',
  'read_audit',
];

/** The scopes that whoever has these permissions can give. */
export const givable = (own: readonly Permission[]): Permission[] =>
  ORDER.filter((each) => own.includes(each));

export const validName = (name: string): boolean => /^[a-z0-9-]{1,40}$/.test(name);

/** The names of devices in a text, and what is none. */
export function parseNames(text: string): { names: string[]; wrong: string[] } {
  const words = [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
  const good = (word: string): boolean => /^[a-z][a-z0-9-]{0,31}$/.test(word) && !word.endsWith('-');
  return { names: words.filter(good), wrong: words.filter((word) => !good(word)) };
}

/** A whole command, to be tried as it stands: it hands in a reading, or else reads the devices. */
export function curlExample({ key, scopes, devices }: CreatedKey, origin: string, now: number): string {
  const authorization = `  -H 'Authorization: Bearer ${key}'`;
  if (!scopes.includes('write_readings'))
    return [`curl ${origin}/api/v1/devices`, authorization].join(' \\\n');
  const device = devices?.[0] ?? 'well-3';
  const body = JSON.stringify({ device, metric: 'ph', time: Math.floor(now), value: 7.02, unit: 'pH' });
  return [
    `curl ${origin}/api/v1/readings`,
    authorization,
    `  -H 'Content-Type: application/json'`,
    `  -d '${body}'`,
  ].join(' \\\n');
}

const RANK: Record<KeyState, number> = { good: 0, expired: 1, revoked: 2 };

/** Those that open something first, then the newest. */
export const inOrder = (keys: readonly ApiKey[]): ApiKey[] =>
  [...keys].sort((a, b) => RANK[a.state] - RANK[b.state] || b.made_at - a.made_at);
