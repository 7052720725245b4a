// Owns every request to the server: one function per operation. Knows nothing of pages or state.
import { noteServerDate } from '$lib/format/server-clock';
import { Problem, problemOf } from './problem';
import type {
  Device,
  LatestReading,
  CreatedToken,
  NewToken,
  Series,
  Session,
  Settings,
  Token,
} from './types';

const TIMEOUT_MS = 15_000;

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch (cause) {
    throw new Problem(0, 'unreachable', String(cause));
  }
  noteServerDate(response.headers.get('date'));
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const segment = encodeURIComponent;
const query = (params: Record<string, string | number>): string =>
  new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)])).toString();

export interface Span {
  from: number;
  to: number;
}

export const api = {
  session: () => request<Session>('GET', '/session'),
  signIn: (user: string, password: string) => request<Session>('POST', '/session', { user, password }),
  signOut: () => request<void>('DELETE', '/session'),

  devices: async () => (await request<{ devices: Device[] }>('GET', '/devices')).devices,
  latest: async () => (await request<{ latest: LatestReading[] }>('GET', '/latest')).latest,
  revoke: (name: string) => request<void>('POST', `/devices/${segment(name)}/revoke`),
  setIntervals: (name: string, interval_ms: Record<string, number>) =>
    request<Settings>('PUT', `/devices/${segment(name)}/settings`, { interval_ms }),

  /** One metric of one device, for a chart. */
  series: (name: string, metric: string, span: Span, points: number) =>
    request<Series>('GET', `/devices/${segment(name)}/series?${query({ metric, ...span, points })}`),
  /** One metric of every device, for sparklines. */
  trends: async (metric: string, span: Span, points: number) =>
    (await request<{ series: Series[] }>('GET', `/series?${query({ metric, ...span, points })}`)).series,

  tokens: async () => (await request<{ tokens: Token[] }>('GET', '/enrolment-tokens')).tokens,
  createToken: (order: NewToken) => request<CreatedToken>('POST', '/enrolment-tokens', order),
  deleteToken: (id: string) => request<void>('DELETE', `/enrolment-tokens/${segment(id)}`),
};
