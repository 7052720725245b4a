import type { Alert } from '$lib/api/alert-types';
import { describe, expect, it } from 'vitest';
import { undoOf } from './undo';

const NOW = 1_000_000;
const alert = (id: number, over: Partial<Alert> = {}): Alert =>
  ({ id, state: 'open', assignee: null, snoozed_until: null, ...over }) as Alert;

describe('taking an act on alerts back', () => {
  it('opens again what was acknowledged, but not what somebody had acknowledged before', () => {
    const before = [alert(1), alert(2, { state: 'acknowledged' })];
    expect(undoOf({ ids: [1, 2], act: 'acknowledge' }, before, NOW)).toEqual([{ ids: [1], act: 'reopen' }]);
  });

  it('leaves what was resolved as it stood: open, or seen to', () => {
    const before = [alert(1), alert(2, { state: 'acknowledged' }), alert(3, { state: 'resolved' })];
    expect(undoOf({ ids: [1, 2, 3], act: 'resolve', reason: 'x' }, before, NOW)).toEqual([
      { ids: [1, 2], act: 'reopen' },
      { ids: [2], act: 'acknowledge' },
    ]);
  });

  it('gives each alert back to whom it belonged', () => {
    const before = [alert(1, { assignee: 'siti' }), alert(2), alert(3, { assignee: 'siti' })];
    expect(undoOf({ ids: [1, 2, 3], act: 'assign', assignee: 'joko' }, before, NOW)).toEqual([
      { ids: [1, 3], act: 'assign', assignee: 'siti' },
      { ids: [2], act: 'assign', assignee: null },
    ]);
  });

  it('snoozes as long as before, and not until a time that has passed', () => {
    const before = [alert(1, { snoozed_until: NOW + 60_000 }), alert(2, { snoozed_until: NOW - 1 })];
    expect(undoOf({ ids: [1, 2], act: 'snooze', until: NOW + 5 }, before, NOW)).toEqual([
      { ids: [1], act: 'snooze', until: NOW + 60_000 },
      { ids: [2], act: 'snooze', until: null },
    ]);
  });

  it('takes nothing back of what stays: reading, a note, a reopening', () => {
    for (const act of ['read', 'note', 'reopen'] as const)
      expect(undoOf({ ids: [1], act }, [alert(1)], NOW)).toEqual([]);
  });
});
