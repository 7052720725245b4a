// Checks that an expired access token costs nobody anything: one refresh for all who notice, and the same request again.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { call } from './call';
import { Problem } from './problem';

type Asked = { address: string; method: string; body: unknown };

const answer = (status: number, body: unknown = {}): Response =>
  new Response(status === 204 ? null : JSON.stringify(body), { status });
const expired = (): Response => answer(401, { code: 'no_session', detail: 'sign in' });

/** A server: `expiredNow` decides what it refuses, `refresh` what it answers to that. */
function serve(refresh: () => Response | Promise<Response>): { asked: Asked[]; good: boolean } {
  const server = { asked: [] as Asked[], good: false };
  vi.stubGlobal('fetch', async (address: string, { method, body }: RequestInit) => {
    server.asked.push({ address, method: method ?? '', body });
    if (address !== '/api/v1/session/refresh') return server.good ? answer(200, { devices: [] }) : expired();
    const given = await refresh();
    server.good = given.ok;
    return given;
  });
  return server;
}

describe('an expired access token', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.now() + 1_000_000 });
    vi.stubGlobal('navigator', {});
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is changed once for all who notice, and each request is repeated as it was', async () => {
    const server = serve(() => answer(200));
    const change = { role: 'auditor' } as const;
    await Promise.all([
      call('get', '/api/v1/devices', { query: {} }),
      call('patch', '/api/v1/users/{name}', { path: { name: 'tono' }, body: change }),
    ]);
    const refreshes = server.asked.filter(({ address }) => address.endsWith('/refresh'));
    expect(refreshes).toHaveLength(1);
    const patches = server.asked.filter(({ method }) => method === 'PATCH');
    expect(patches).toHaveLength(2);
    expect(patches[0]).toEqual(patches[1]);
    expect(patches[0]?.body).toBe(JSON.stringify(change));
  });

  it('is not changed again when another tab has done so since the request began', async () => {
    const server = serve(() => answer(200));
    const pending = call('get', '/api/v1/devices', { query: {} });
    localStorage.setItem('tirta.refreshed', String(Date.now() + 1));
    server.good = true;
    await pending;
    expect(server.asked.map(({ address }) => address)).toEqual(['/api/v1/devices', '/api/v1/devices']);
  });

  it('is changed although a clock that was ahead has left a mark in the future, in this tab or in another', async () => {
    const server = serve(() => answer(200));
    localStorage.setItem('tirta.refreshed', String(Date.now() + 86_400_000));
    await call('get', '/api/v1/devices', { query: {} });
    expect(server.asked.map(({ address }) => address)).toContain('/api/v1/session/refresh');

    vi.setSystemTime(Date.now() - 86_400_000);
    server.good = false;
    server.asked.length = 0;
    await call('get', '/api/v1/devices', { query: {} });
    expect(server.asked.map(({ address }) => address)).toContain('/api/v1/session/refresh');
  });

  it('ends in the problem of the request when the session has ended', async () => {
    const server = serve(() => answer(401, { code: 'session_reused', detail: 'somebody else' }));
    const cause = await call('get', '/api/v1/devices', { query: {} }).catch((why: unknown) => why);
    expect(cause).toBeInstanceOf(Problem);
    expect((cause as Problem).signedOut).toBe(true);
    expect(server.asked).toHaveLength(2);
  });

  it('is asked for once more when the answer was lost, and signs nobody out while the server is away', async () => {
    let lost = 1;
    const server = serve(() => {
      if (lost-- > 0) throw new TypeError('network');
      return answer(200);
    });
    const first = call('get', '/api/v1/devices', { query: {} });
    await vi.runAllTimersAsync();
    await first;
    expect(server.asked.filter(({ address }) => address.endsWith('/refresh'))).toHaveLength(2);

    vi.setSystemTime(Date.now() + 1_000_000);
    server.good = false;
    lost = 9;
    const second = call('get', '/api/v1/devices', { query: {} }).catch((why: unknown) => why);
    await vi.runAllTimersAsync();
    const cause = (await second) as Problem;
    expect(cause.unreachable).toBe(true);
    expect(cause.signedOut).toBe(false);
  });

  it('is told apart from a wrong password, which no refresh makes right', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (address: string) => {
      asked.push(address);
      return answer(401, { code: 'bad_credentials', detail: 'wrong' });
    });
    const body = { user: 'tono', password: 'x' };
    await expect(call('post', '/api/v1/session', { body })).rejects.toBeInstanceOf(Problem);
    expect(asked).toEqual(['/api/v1/session']);
  });
});
