// Checks the patience between attempts to connect, and that no event can break the page.
import { expect, it } from 'vitest';
import { backoff } from './backoff';
import { parseEvent } from './socket';

it('waits longer after each failure, up to a limit, and never in step with others', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoff(attempt, () => 1));
  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  expect(backoff(3, () => 0)).toBe(2_000);
});

it('leaves out events of a newer server, and nonsense', () => {
  expect(parseEvent('{"type":"missed"}')).toEqual({ type: 'missed' });
  expect(parseEvent('{"type":"calibration","device":"pi-1"}')).not.toBeNull();
  expect(parseEvent('{"type":"alert","news":{}}')).not.toBeNull();
  expect(parseEvent('{"type":"weather","text":"?"}')).toBeNull();
  expect(parseEvent('{"type":"toString"}')).toBeNull();
  for (const nonsense of ['', '{', 'null', '7', new ArrayBuffer(1)]) expect(parseEvent(nonsense)).toBeNull();
});
