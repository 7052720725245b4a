// Owns the list of what the dashboard asks of the server about thresholds, alerts and outages.
import type * as T from './alert-types';
import { serverNow } from '$lib/format/server-clock';
import { ask, call } from './call';
import { asMetric } from './client';

/** Silences that were over longer ago than this are of no interest. */
const OVER_MS = 30 * 86_400_000;

const drop = (query: Record<string, string | number | boolean | null | undefined>) =>
  Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ''),
  ) as Record<string, string | number | boolean>;

export type AlertQuery = Pick<
  T.AlertFilter,
  'state' | 'severity' | 'source' | 'device' | 'location' | 'metric' | 'q'
>;

export const alertsApi = {
  list: async (query: AlertQuery, limit: number, before?: number) =>
    (await call('get', '/api/v1/alerts', {
      query: { ...query, limit, ...(before === undefined ? {} : { before }) },
    })) as T.AlertList,
  one: async (id: number) => (await call('get', '/api/v1/alerts/{id}', { path: { id } })) as T.AlertDetail,
  act: (body: T.Act) => call('post', '/api/v1/alerts/act', { body }),
  clear: (filter: AlertQuery) => call('post', '/api/v1/alerts/clear', { body: filter }),
  clearances: async () => (await call('get', '/api/v1/alerts/clearances', {})).clearances,
  restore: (id: number) => call('post', '/api/v1/alerts/clearances/{id}/restore', { path: { id } }),

  thresholds: async () => {
    const { thresholds } = await call('get', '/api/v1/thresholds', {});
    return thresholds.filter((each): each is T.ThresholdInForce => each.threshold !== null);
  },
  ofDevice: async (name: string) =>
    (await call('get', '/api/v1/devices/{name}/thresholds', { path: { name } })).thresholds,
  put: (body: T.ThresholdChange) => call('put', '/api/v1/thresholds', { body }),
  history: async ({ scope, target }: T.Target, metric: string) =>
    (
      await call('get', '/api/v1/thresholds/history', {
        query: { scope, target, metric: asMetric(metric) },
      })
    ).thresholds,
  preview: (body: T.PreviewRequest) => call('post', '/api/v1/thresholds/preview', { body }),
  presets: async () => (await call('get', '/api/v1/thresholds/presets', {})).presets,

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
