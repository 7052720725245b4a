// Owns the list of what the dashboard asks of the server about thresholds, alerts and outages.
import type * as T from './alert-types';
import { serverNow } from '$lib/format/server-clock';
import { ask } from './call';

/** Silences that were over longer ago than this are of no interest. */
const OVER_MS = 30 * 86_400_000;

const drop = (query: Record<string, string | number | boolean | null | undefined>) =>
  Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ''),
  ) as Record<string, string | number | boolean>;

export type AlertQuery = Partial<
  Record<'state' | 'severity' | 'source' | 'device' | 'location' | 'metric' | 'q', string>
>;

export const alertsApi = {
  list: (query: AlertQuery, limit: number, before?: number) =>
    ask<T.AlertList>('get', '/api/v1/alerts', { query: drop({ ...query, limit, before }) }),
  one: (id: number) => ask<T.AlertDetail>('get', '/api/v1/alerts/{id}', { path: { id: String(id) } }),
  act: (body: T.Act) => ask<unknown>('post', '/api/v1/alerts/act', { body }),
  clear: (filter: AlertQuery) =>
    ask<{ clearance: T.Clearance | null }>('post', '/api/v1/alerts/clear', { body: drop(filter) }),
  clearances: async () =>
    (await ask<{ clearances: T.Clearance[] }>('get', '/api/v1/alerts/clearances', {})).clearances,
  restore: (id: number) =>
    ask<unknown>('post', '/api/v1/alerts/clearances/{id}/restore', { path: { id: String(id) } }),

  thresholds: async () =>
    (await ask<{ thresholds: T.ThresholdInForce[] }>('get', '/api/v1/thresholds', {})).thresholds,
  ofDevice: async (name: string) =>
    (
      await ask<{ thresholds: Record<string, T.DeviceThreshold> }>(
        'get',
        '/api/v1/devices/{name}/thresholds',
        { path: { name } },
      )
    ).thresholds,
  put: (body: { targets: T.Target[]; metric: string; threshold: T.Threshold | null; preset?: string }) =>
    ask<unknown>('put', '/api/v1/thresholds', { body }),
  history: async ({ scope, target }: T.Target, metric: string) =>
    (
      await ask<{ thresholds: T.ThresholdVersion[] }>('get', '/api/v1/thresholds/history', {
        query: { scope, target, metric },
      })
    ).thresholds,
  preview: (body: { device: string; metric: string; threshold: T.Threshold; days: number }) =>
    ask<T.Preview>('post', '/api/v1/thresholds/preview', { body }),
  presets: async () => (await ask<{ presets: T.Preset[] }>('get', '/api/v1/thresholds/presets', {})).presets,

  silences: async () =>
    (
      await ask<{ silences: T.Silence[] }>('get', '/api/v1/silences', {
        query: { since: Math.floor(serverNow() - OVER_MS) },
      })
    ).silences,
  silence: (body: T.NewSilence) => ask<T.Silence>('post', '/api/v1/silences', { body }),
  endSilence: (id: number) => ask<unknown>('post', '/api/v1/silences/{id}/end', { path: { id: String(id) } }),

  outages: (
    query: { device?: string; location?: string; from?: number; to?: number },
    limit: number,
    before?: number,
  ) =>
    ask<{ outages: T.Outage[]; next: number | null }>('get', '/api/v1/outages', {
      query: drop({ ...query, limit, before }),
    }),
  availability: async (query: {
    per: T.Per;
    by: 'device' | 'location';
    device?: string;
    location?: string;
    from: number;
    to: number;
  }) => (await ask<{ rows: T.Availability[] }>('get', '/api/v1/availability', { query: drop(query) })).rows,

  intakeTokens: async () =>
    (await ask<{ tokens: T.IntakeToken[] }>('get', '/api/v1/intake-tokens', {})).tokens,
  makeIntakeToken: (name: string) =>
    ask<T.IntakeToken & { token: string }>('post', '/api/v1/intake-tokens', { body: { name } }),
  revokeIntakeToken: (id: string) => ask<unknown>('delete', '/api/v1/intake-tokens/{id}', { path: { id } }),
};
