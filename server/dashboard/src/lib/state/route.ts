// Owns the addresses of the dashboard: which path shows which page, and how to write it.

export type Route =
  | { page: 'fleet' }
  | { page: 'device'; name: string }
  | { page: 'calibrate'; name: string; metric: string }
  | { page: 'history'; name: string }
  | { page: 'enrolment' }
  | { page: 'registry' }
  | { page: 'settings' }
  | { page: 'missing' };

export function parseRoute(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0) return { page: 'fleet' };
  if (parts.length === 1 && parts[0] === 'enrolment') return { page: 'enrolment' };
  if (parts.length === 1 && parts[0] === 'registry') return { page: 'registry' };
  if (parts.length === 1 && parts[0] === 'settings') return { page: 'settings' };
  if (parts[0] === 'devices' && parts[1]) return deviceRoute(parts[1], parts.slice(2));
  return { page: 'missing' };
}

function deviceRoute(encoded: string, rest: readonly string[]): Route {
  let name: string;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    return { page: 'missing' }; // a lone % is no name
  }
  const [what, metric, ...more] = rest;
  if (what === undefined) return { page: 'device', name };
  if (what === 'calibrations' && metric === undefined) return { page: 'history', name };
  if (what === 'calibrate' && metric && /^\w+$/.test(metric) && more.length === 0)
    return { page: 'calibrate', name, metric };
  return { page: 'missing' };
}

export const paths = {
  fleet: '/',
  enrolment: '/enrolment',
  registry: '/registry',
  settings: '/settings',
  device: (name: string): string => `/devices/${encodeURIComponent(name)}`,
  calibrate: (name: string, metric: string): string => `${paths.device(name)}/calibrate/${metric}`,
  history: (name: string, metric?: string): string =>
    `${paths.device(name)}/calibrations${metric ? `?metric=${metric}` : ''}`,
};
