// Checks what a page makes of views of its own session and of others on the same device.
import type { CalibrationView, LiveEvent } from '$lib/api/types';
import { expect, it } from 'vitest';
import { GuidedSession } from './session.svelte';

const event = (session: string, is: 'waiting' | 'ended' = 'waiting', device = 'pi-1'): LiveEvent => {
  const view: CalibrationView = { session, metric: 'ph', step: { is }, points: [] };
  return { type: 'calibration', device, view };
};

it('a session that runs already is told before ours begins, and does not end it', () => {
  const guided = new GuidedSession('pi-1');
  guided.apply([event('old'), event('elsewhere', 'waiting', 'pi-2')]);
  expect(guided.otherAt(Date.now())?.session).toBe('old');
  expect(guided.otherAt(Date.now() + 60_000), 'it is silent').toBeNull();
  guided.listen('ours');
  guided.apply([event('old'), event('ours')]);
  expect([guided.view?.session, guided.replaced]).toEqual(['ours', false]);
});

it('a session that begins after ours has ended it', () => {
  const guided = new GuidedSession('pi-1');
  guided.listen('ours');
  guided.apply([event('ours')]);
  guided.apply([event('new')]);
  expect(guided.replaced).toBe(true);
});

it('the last words of a session that we left are no other session', () => {
  const guided = new GuidedSession('pi-1');
  guided.listen('ours');
  guided.apply([event('ours')]);
  guided.listen(null);
  guided.apply([event('ours')]);
  expect([guided.view, guided.otherAt(Date.now())]).toEqual([null, null]);
  guided.apply([event('other'), event('other', 'ended')]);
  expect(guided.otherAt(Date.now())).toBeNull();
});
