// Checks when the screen may call itself live: after a round that began later than the loss, and that the server answered.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Follower } from './connection.svelte';
import type { Listener } from './socket';

const socket = vi.hoisted(() => ({ listener: null as Listener | null }));
vi.mock('./socket', () => ({
  LiveSocket: class {
    constructor(_url: string, listener: Listener) {
      socket.listener = listener;
    }
    start(): void {}
    stop(): void {}
    retry(): void {}
    drop(): void {}
  },
}));
vi.mock('$lib/state/session.svelte', () => ({ session: { ended: () => false, state: { is: 'in' } } }));
vi.mock('$lib/api/client', () => ({ api: { session: async () => ({}) } }));

/** Rounds that wait until the test lets them end. */
class Held implements Follower {
  readonly rounds: { resolve: () => void; reject: (cause: unknown) => void }[] = [];
  refresh(): Promise<void> {
    return new Promise((resolve, reject) => this.rounds.push({ resolve, reject }));
  }
  apply(): void {}
}

async function begun() {
  const { connection } = await import('./connection.svelte');
  const { Problem } = await import('$lib/api/problem'); // the same class that the fresh module knows
  const held = new Held();
  connection.follow(held);
  connection.start();
  return { connection, held, heard: socket.listener!, Problem };
}
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  vi.stubGlobal('location', { protocol: 'http:', host: 'tirta.test' });
  vi.stubGlobal('document', { addEventListener: () => undefined, removeEventListener: () => undefined });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('is not live by a round that was asked before the socket opened', async () => {
  const { connection, held, heard } = await begun();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(held.rounds, 'it is asked for without a socket').toHaveLength(1);
  heard.opened();
  held.rounds[0]?.resolve();
  await settled();
  expect(held.rounds, 'and once more').toHaveLength(2);
  expect(connection.status).toBe('connecting');
  held.rounds[1]?.resolve();
  await settled();
  expect(connection.status).toBe('live');
  connection.stop();
});

it('asks once more when something was missed during a round', async () => {
  const { connection, held, heard } = await begun();
  heard.opened();
  await settled();
  heard.event({ type: 'missed' });
  heard.event({ type: 'missed' });
  held.rounds[0]?.resolve();
  await settled();
  expect(held.rounds).toHaveLength(2);
  expect(connection.status).toBe('connecting');
  held.rounds[1]?.resolve();
  await settled();
  expect(connection.status).toBe('live');
  expect(held.rounds).toHaveLength(2);
  connection.stop();
});

it('is live although a page asked for what is gone, and asks no more', async () => {
  const { connection, held, heard, Problem } = await begun();
  heard.opened();
  await settled();
  held.rounds[0]?.reject(new Problem(404, 'unknown_device', 'gone'));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(connection.status).toBe('live');
  expect(held.rounds).toHaveLength(1);
  connection.stop();
});

it('is not live while the server fails, and asks ever more rarely', async () => {
  const { connection, held, heard, Problem } = await begun();
  heard.opened();
  await settled();
  const waits: number[] = [];
  for (const status of [0, 500, 503, 429, 500]) {
    held.rounds.at(-1)?.reject(new Problem(status, 'trouble', ''));
    const [count, from] = [held.rounds.length, Date.now()];
    await settled();
    expect(connection.status).toBe('connecting');
    while (held.rounds.length === count) await vi.advanceTimersToNextTimerAsync();
    waits.push(Date.now() - from);
  }
  expect(waits[4], waits.join()).toBeGreaterThan(4 * (waits[0] ?? Infinity));
  held.rounds.at(-1)?.resolve();
  await settled();
  expect(connection.status).toBe('live');
  connection.stop();
});
