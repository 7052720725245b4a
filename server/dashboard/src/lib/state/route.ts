// Owns the addresses of the dashboard: which path shows which page, and how to write it.

export type Route =
  | { page: 'fleet' }
  | { page: 'device'; name: string }
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
  if (parts.length === 2 && parts[0] === 'devices' && parts[1]) {
    try {
      return { page: 'device', name: decodeURIComponent(parts[1]) };
    } catch {
      return { page: 'missing' }; // a lone % is no name
    }
  }
  return { page: 'missing' };
}

export const paths = {
  fleet: '/',
  enrolment: '/enrolment',
  registry: '/registry',
  settings: '/settings',
  device: (name: string): string => `/devices/${encodeURIComponent(name)}`,
};
