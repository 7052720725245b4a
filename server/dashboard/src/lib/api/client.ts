// Owns the list of what the dashboard asks of the server: one function per operation. Knows nothing of pages or state.
import { call } from './call';
import type { Buffers, CalibrationOrder, Metric, NewApproval, NewClaim, NewRange, NewToken } from './types';

export interface Span {
  /** Milliseconds since 1970; the server takes whole ones. */
  from: number;
  to: number;
}

const whole = ({ from, to }: Span): Span => ({ from: Math.floor(from), to: Math.ceil(to) });
/** A metric of a newer server is asked for by its own name. */
export const asMetric = (metric: string): Metric => metric as Metric;

const order = (name: string, body: CalibrationOrder) =>
  call('post', '/api/v1/devices/{name}/calibration', { path: { name }, body });

export const api = {
  session: () => call('get', '/api/v1/session', {}),
  signIn: (user: string, password: string, code: string) =>
    call('post', '/api/v1/session', { body: { user, password, ...(code ? { code } : {}) } }),
  signOut: () => call('delete', '/api/v1/session', {}),
  changePassword: (old: string, chosen: string) =>
    call('post', '/api/v1/session/password', { body: { old, new: chosen } }),

  devices: async () => (await call('get', '/api/v1/devices', { query: {} })).devices,
  latest: async () => (await call('get', '/api/v1/latest', {})).latest,
  revoke: (name: string) => call('post', '/api/v1/devices/{name}/revoke', { path: { name } }),
  setIntervals: (name: string, interval_ms: Record<string, number>) =>
    call('put', '/api/v1/devices/{name}/settings', { path: { name }, body: { interval_ms } }),

  /** One metric of one device, for a chart. */
  series: (name: string, metric: string, span: Span, points: number) =>
    call('get', '/api/v1/devices/{name}/series', {
      path: { name },
      query: { metric: asMetric(metric), ...whole(span), points },
    }),
  /** One metric of every device, for sparklines. */
  trends: async (metric: string, span: Span, points: number) =>
    (await call('get', '/api/v1/series', { query: { metric: asMetric(metric), ...whole(span), points } }))
      .series,

  calibrations: (name: string) => call('get', '/api/v1/devices/{name}/calibrations', { path: { name } }),
  undoCalibration: (name: string, id: string) =>
    call('post', '/api/v1/devices/{name}/calibrations/{id}/undo', { path: { name, id } }),
  beginCalibration: async (name: string, metric: string, buffers: Buffers | null, lot: string) =>
    (
      await order(name, {
        order: 'begin',
        metric: asMetric(metric),
        ...(buffers ? { buffers } : {}),
        ...(lot ? { lot } : {}),
      })
    ).session,
  /** An order within a session; the answer to it is the session's next view. */
  calibrate: (name: string, session: string, what: 'take' | 'drop' | 'finish' | 'cancel', nominal?: number) =>
    order(name, { order: what, session, ...(nominal === undefined ? {} : { nominal }) }),
  recomputations: async (name: string) =>
    (await call('get', '/api/v1/devices/{name}/recomputations', { path: { name } })).recomputations,

  registrations: async () => (await call('get', '/api/v1/registrations', { query: {} })).registrations,
  /** `file` is CSV; a dry run only says what would happen. */
  importRegistrations: (file: Blob, dry_run: boolean) =>
    call('post', '/api/v1/registrations/import', { query: { dry_run }, csv: file }),
  reserveRange: (range: NewRange) => call('post', '/api/v1/registrations/range', { body: range }),

  tokens: async () => (await call('get', '/api/v1/enrolment-tokens', {})).tokens,
  createToken: (order: NewToken) => call('post', '/api/v1/enrolment-tokens', { body: order }),
  revokeToken: (id: string) => call('delete', '/api/v1/enrolment-tokens/{id}', { path: { id } }),

  waiting: async () => (await call('get', '/api/v1/waiting', {})).waiting,
  approve: (id: string, approval: NewApproval) =>
    call('post', '/api/v1/waiting/{id}/approve', { path: { id }, body: approval }),
  approveAll: () => call('post', '/api/v1/waiting/approve-all', {}),
  refuse: (id: string) => call('post', '/api/v1/waiting/{id}/refuse', { path: { id } }),
  replace: (name: string, serial: string) =>
    call('post', '/api/v1/devices/{name}/replace', { path: { name }, body: { serial } }),
  claim: (claim: NewClaim) => call('post', '/api/v1/claim', { body: claim }),

  policy: () => call('get', '/api/v1/enrolment-policy', {}),
  /** How long re-flashed boards may come back by themselves from now; 0 ends it. */
  allowReturns: (returns_for_s: number) =>
    call('put', '/api/v1/enrolment-policy', { body: { returns_for_s } }),

  /** The newest entries, or those before a number; of one device or of all, of some kinds or of all. */
  audit: (
    filter: { device?: string; acts?: readonly string[]; text?: string },
    limit: number,
    before?: number,
  ) =>
    call('get', '/api/v1/audit', {
      query: {
        limit,
        ...(filter.device ? { device: filter.device } : {}),
        ...(filter.acts?.length ? { act: filter.acts.join(',') } : {}),
        ...(filter.text ? { q: filter.text } : {}),
        ...(before === undefined ? {} : { before }),
      },
    }),
  /** How the log ends. */
  auditHead: () => call('get', '/api/v1/audit/head', {}),
  /** Whether all of the log is whole. */
  verifyAudit: () => call('get', '/api/v1/audit/verify', { query: {} }),
};
