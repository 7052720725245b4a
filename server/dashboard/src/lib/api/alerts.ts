// Owns the list of what the dashboard asks of the server about thresholds, alerts and outages.
import type * as T from './alert-types';
import { serverNow } from '$lib/format/server-clock';
import { call } from './call';
import { asMetric, type Span } from './client';

/** Silences that were over longer ago than this are of no interest. */
const OVER_MS = 30 * 86_400_000;

interface Place {
  device?: string;
  location?: string;
}

export type AlertQuery = Partial<
  Pick<
    T.AlertFilter,
    'state' | 'severity' | 'source' | 'device' | 'location' | 'metric' | 'q' | 'from' | 'to'
  >
>;

/** A metric of a newer server has a name of its own. */
type Named<B> = Omit<B, 'metric'> & { metric: string };

export const alertsApi = {
  list: async (query: AlertQuery, limit: number, before?: number) =>
    (await call('get', '/api/v1/alerts', {
      query: { ...query, limit, ...(before === undefined ? {} : { before }) },
    })) as T.AlertList,
  one: async (id: number) => (await call('get', '/api/v1/alerts/{id}', { path: { id } })) as T.AlertDetail,
  act: (body: T.Act) => call('post', '/api/v1/alerts/act', { body }),
  /** What the filter leaves out has a default, which the document can't tell from being required. */
  clear: (filter: AlertQuery) => call('post', '/api/v1/alerts/clear', { body: filter as T.AlertFilter }),
  clearances: async () => (await call('get', '/api/v1/alerts/clearances', {})).clearances,
  restore: (id: number) => call('post', '/api/v1/alerts/clearances/{id}/restore', { path: { id } }),

  thresholds: async () => {
    const { thresholds } = await call('get', '/api/v1/thresholds', {});
    return thresholds.filter((each): each is T.ThresholdInForce => each.threshold !== null);
  },
  ofDevice: async (name: string) =>
    (await call('get', '/api/v1/devices/{name}/thresholds', { path: { name } })).thresholds,
  put: (body: Named<T.ThresholdChange>) =>
    call('put', '/api/v1/thresholds', { body: { ...body, metric: asMetric(body.metric) } }),
  history: async ({ scope, target }: T.Target, metric: string) =>
    (
      await call('get', '/api/v1/thresholds/history', {
        query: { scope, target, metric: asMetric(metric) },
      })
    ).thresholds,
  preview: (body: Named<T.PreviewRequest>) =>
    call('post', '/api/v1/thresholds/preview', { body: { ...body, metric: asMetric(body.metric) } }),
  presets: async () => (await call('get', '/api/v1/thresholds/presets', {})).presets,

  silences: async () =>
    (await call('get', '/api/v1/silences', { query: { since: Math.floor(serverNow() - OVER_MS) } }))
      .silences as T.Silence[],
  silence: (body: T.NewSilence) => call('post', '/api/v1/silences', { body }),
  endSilence: (id: number) => call('post', '/api/v1/silences/{id}/end', { path: { id } }),

  outages: (query: Place & Partial<Span>, limit: number, before?: number) =>
    call('get', '/api/v1/outages', {
      query: { ...query, limit, ...(before === undefined ? {} : { before }) },
    }),
  availability: async (query: Place & Span & { per: T.Per; by: 'device' | 'location' }) =>
    (await call('get', '/api/v1/availability', { query })).rows,

  intakeTokens: async () => (await call('get', '/api/v1/intake-tokens', {})).tokens,
  makeIntakeToken: (name: string) => call('post', '/api/v1/intake-tokens', { body: { name } }),
  revokeIntakeToken: (id: string) => call('delete', '/api/v1/intake-tokens/{id}', { path: { id } }),
};
