// Owns what the dashboard asks of the server about identity: who waits, who is let in, what was done. Its types are
// written down here until the server's document has them.
import { request, type Loose } from './call';
import type { components } from './schema';

type Schemas = components['schemas'];

export type DeviceState = Schemas['DeviceState'] | 'quarantined';

export interface Certificate {
  serial_number: string;
  issued_at: number;
  expires_at: number;
  ca_sha256: string;
}

export type Device = Omit<Schemas['Device'], 'state'> & {
  state: DeviceState;
  model?: string | null;
  key_sha256?: string | null;
  certificate?: Certificate | null;
};

export type Admits = 'registered' | 'any';

export interface NewToken {
  uses: number;
  valid_s: number;
  note?: string;
  admits?: Admits;
  location?: string;
  serials?: string[];
}

export interface Token {
  id: string;
  uses: number;
  uses_left: number;
  expires_at: number;
  created_at: number;
  created_by: string;
  note: string;
  admits: Admits;
  location: string | null;
  serials: string[];
  revoked_at: number | null;
}

export type CreatedToken = Token & { token: string; ca_sha256: string; fleet_file: string };

export interface WaitingDevice {
  id: string;
  serial: string;
  key_sha256: string;
  model: string | null;
  address: string;
  reason: string;
  copied_from: { name: string; serial: string } | null;
  device: string | null;
  token_id: string;
  since: number;
  last_asked: number;
}

export interface Approval {
  name?: string;
  replaces?: string;
  location?: string;
}

export interface Claim {
  name?: string;
  serial?: string;
  location: string;
  latitude?: number;
  longitude?: number;
}

export interface Claimed {
  name: string;
  serial: string | null;
  location: string;
  approved: boolean;
}

export interface AuditEntry {
  id: number | string;
  at: number;
  who: string;
  act: string;
  device: string | null;
  serial: string | null;
  address: string | null;
  detail: Record<string, unknown>;
}

export interface AuditPage {
  entries: AuditEntry[];
  next: number | string | null;
}

export interface Policy {
  returns_until: number | null;
}

async function ask<T>(
  method: 'get' | 'post' | 'put' | 'delete',
  path: string,
  input: Loose = {},
): Promise<T> {
  return (await request(method, `/api/v1${path}`, input)) as T;
}

export const identityApi = {
  tokens: async () => (await ask<{ tokens: Token[] }>('get', '/enrolment-tokens')).tokens,
  createToken: (body: NewToken) => ask<CreatedToken>('post', '/enrolment-tokens', { body }),
  revokeToken: (id: string) => ask<void>('delete', '/enrolment-tokens/{id}', { path: { id } }),

  waiting: async () => (await ask<{ waiting: WaitingDevice[] }>('get', '/waiting')).waiting,
  approve: (id: string, body: Approval) =>
    ask<{ name: string }>('post', '/waiting/{id}/approve', { path: { id }, body }),
  approveAll: () => ask<{ approved: string[] }>('post', '/waiting/approve-all'),
  refuse: (id: string) => ask<void>('post', '/waiting/{id}/refuse', { path: { id } }),

  policy: () => ask<Policy>('get', '/enrolment-policy'),
  /** How long re-flashed boards may come back by themselves from now; 0 ends it. */
  allowReturns: (returns_for_s: number) =>
    ask<Policy>('put', '/enrolment-policy', { body: { returns_for_s } }),

  replace: (name: string, serial: string) =>
    ask<{ name: string; waiting: boolean }>('post', '/devices/{name}/replace', {
      path: { name },
      body: { serial },
    }),
  claim: (body: Claim) => ask<Claimed>('post', '/claim', { body }),

  audit: (limit: number, device?: string, before?: number | string) =>
    ask<AuditPage>('get', '/audit', {
      query: { limit, ...(device ? { device } : {}), ...(before === undefined ? {} : { before }) },
    }),
};
