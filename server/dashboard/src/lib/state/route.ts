// Owns the addresses of the dashboard: which path shows which page, and how to write it.

export type Route =
  | { page: 'overview' }
  | { page: 'fleet' }
  | { page: 'compare' }
  | { page: 'readings' }
  | { page: 'map' }
  | { page: 'device'; name: string }
  | { page: 'calibrate'; name: string; metric: string }
  | { page: 'calibrations'; name: string }
  | { page: 'enrolment' }
  | { page: 'registry' }
  | { page: 'waiting' }
  | { page: 'audit' }
  | { page: 'claim'; label: string | null }
  | { page: 'alerts' }
  | { page: 'alert'; id: number }
  | { page: 'silences' }
  | { page: 'clearances' }
  | { page: 'intake' }
  | { page: 'thresholds' }
  | { page: 'threshold' }
  | { page: 'outages' }
  | { page: 'reports' }
  | { page: 'settings' }
  | { page: 'password' }
  | { page: 'security' }
  | { page: 'users' }
  | { page: 'profile' }
  | { page: 'join' }
  | { page: 'sign-up' }
  | { page: 'keys' }
  | { page: 'system' }
  | { page: 'roles' }
  | { page: 'channels' }
  | { page: 'presets' }
  | { page: 'missing' };

export function parseRoute(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0) return { page: 'overview' };
  const [first, second, ...rest] = parts;
  if (first === 'devices') return second === undefined ? { page: 'fleet' } : deviceRoute(second, rest);
  if (first === 'claim' && rest.length === 0) {
    const label = second === undefined ? null : decoded(second);
    return label === undefined ? { page: 'missing' } : { page: 'claim', label };
  }
  if (first === 'alerts') return alertRoute(second, rest);
  if (first === 'history' && second === undefined) return { page: 'readings' };
  if (first === 'thresholds' && second === 'edit' && rest.length === 0) return { page: 'threshold' };
  if (first === 'thresholds' && second === 'presets' && rest.length === 0) return { page: 'presets' };
  const plain = PLAIN.find((page) => page === first);
  return plain && second === undefined ? { page: plain } : { page: 'missing' };
}

/** Pages that are one address each. */
const PLAIN = [
  'compare',
  'map',
  'enrolment',
  'registry',
  'waiting',
  'audit',
  'thresholds',
  'outages',
  'reports',
  'settings',
  'password',
  'security',
  'users',
  'profile',
  'join',
  'sign-up',
  'keys',
  'system',
  'roles',
] as const;
/** What stands beside the list of alerts. */
const ASIDE = ['silences', 'clearances', 'intake', 'channels'] as const;

function alertRoute(what: string | undefined, rest: readonly string[]): Route {
  if (rest.length > 0) return { page: 'missing' };
  if (what === undefined) return { page: 'alerts' };
  const aside = ASIDE.find((page) => page === what);
  if (aside) return { page: aside };
  return /^\d{1,16}$/.test(what) ? { page: 'alert', id: Number(what) } : { page: 'missing' };
}

/** A lone % is no name. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function deviceRoute(encoded: string, rest: readonly string[]): Route {
  const name = decoded(encoded);
  if (name === undefined) return { page: 'missing' };
  const [what, metric, ...more] = rest;
  if (what === undefined) return { page: 'device', name };
  if (what === 'calibrations' && metric === undefined) return { page: 'calibrations', name };
  if (what === 'calibrate' && metric && /^\w+$/.test(metric) && more.length === 0)
    return { page: 'calibrate', name, metric };
  return { page: 'missing' };
}

/**
 * Where an address of before leads now, or null. The list of devices was the front page once: its links, with the search
 * and the filter in them, are in bookmarks and messages.
 */
export function moved(path: string, search: string): string | null {
  const query = new URLSearchParams(search);
  if (path !== '/' || !['q', 'show', 'sort'].some((name) => query.has(name))) return null;
  return `${paths.fleet}?${query}`;
}

export const paths = {
  overview: '/',
  fleet: '/devices',
  devices: (query: Record<string, string> = {}): string => withQuery('/devices', query),
  /** Names with commas between them. */
  compare: (query: Record<string, string> = {}): string => withQuery('/compare', query),
  /** What was measured, by time. */
  readings: (query: Record<string, string> = {}): string => withQuery('/history', query),
  /** With `device` that one is open. */
  map: (query: Record<string, string> = {}): string => withQuery('/map', query),
  enrolment: '/enrolment',
  registry: '/registry',
  settings: '/settings',
  password: '/password',
  security: '/security',
  users: '/users',
  profile: '/profile',
  signUp: '/sign-up',
  keys: '/keys',
  system: '/system',
  roles: '/roles',
  waiting: '/waiting',
  claim: '/claim',
  outages: (device?: string): string => `/outages${device ? `?device=${encodeURIComponent(device)}` : ''}`,
  reports: '/reports',
  alerts: (query: Record<string, string> = {}): string => withQuery('/alerts', query),
  alert: (id: number): string => `/alerts/${id}`,
  silences: '/alerts/silences',
  clearances: '/alerts/clearances',
  intake: '/alerts/intake',
  channels: '/alerts/channels',
  thresholds: '/thresholds',
  presets: '/thresholds/presets',
  /** The form for one metric of a fleet, a location, or devices (names with commas between them). */
  threshold: (query: Record<string, string> = {}): string => withQuery('/thresholds/edit', query),
  audit: (query: Record<string, string> = {}): string => withQuery('/audit', query),
  device: (name: string): string => `/devices/${encodeURIComponent(name)}`,
  calibrate: (name: string, metric: string): string => `${paths.device(name)}/calibrate/${metric}`,
  calibrations: (name: string, metric?: string): string =>
    `${paths.device(name)}/calibrations${metric ? `?metric=${metric}` : ''}`,
};

function withQuery(path: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}
