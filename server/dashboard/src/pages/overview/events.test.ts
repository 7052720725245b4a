// Checks what the overview tells of the last hours.
import type { Alert, Outage } from '$lib/api/alert-types';
import { expect, it } from 'vitest';
import { eventsOf } from './events';

const alert = (id: number, over: Partial<Alert> = {}): Alert =>
  ({ id, severity: 'warning', parent: null, raised_at: id * 10, resolved_at: null, ...over }) as Alert;
const outage = (id: number, over: Partial<Outage> = {}): Outage =>
  ({
    id,
    device: 'pi-1',
    started_at: id * 10,
    ended_at: null,
    cause: 'unknown',
    alert: null,
    ...over,
  }) as Outage;
const keys = (...of: Parameters<typeof eventsOf>): string[] => eventsOf(...of).map(({ key }) => key);

it('an alert is told when it came and when it was over, the newest first', () => {
  expect(keys([alert(3), alert(1, { resolved_at: 25 })], [], 10)).toEqual(['a3', 'r1', 'a1']);
});

it('an absence that has an alert is told by it, and part of a larger alert by that one', () => {
  expect(keys([alert(5), alert(6, { parent: 5 })], [outage(1, { alert: 5 }), outage(2)], 10)).toEqual([
    'a5',
    'o2',
  ]);
});

it('an absence is told by its end once it has one, and no more than is asked for is told', () => {
  expect(keys([alert(3)], [outage(1, { ended_at: 99 }), outage(2)], 2)).toEqual(['o1', 'a3']);
});
