// Owns what takes an act on alerts back: acts that put each of them as it stood before. Pure.
import type { Act, Alert } from '$lib/api/alert-types';

/**
 * The acts, in this order; none where nothing can be taken back: what was read stays read, a note stays written, and what
 * was reopened had a reason and a time that only who resolved it can give again.
 */
export function undoOf({ act }: Act, before: readonly Alert[], now: number): Act[] {
  const ids = (state: (alert: Alert) => boolean): number[] => before.filter(state).map(({ id }) => id);
  const some = (undo: Act): Act[] => (undo.ids.length > 0 ? [undo] : []);
  if (act === 'acknowledge') return some({ ids: ids(({ state }) => state === 'open'), act: 'reopen' });
  if (act === 'resolve')
    return [
      ...some({ ids: ids(({ state }) => state !== 'resolved'), act: 'reopen' }),
      ...some({ ids: ids(({ state }) => state === 'acknowledged'), act: 'acknowledge' }),
    ];
  if (act === 'assign')
    return grouped(before, ({ assignee }) => assignee).map(([assignee, ids]) => ({ ids, act, assignee }));
  if (act === 'snooze')
    return grouped(before, ({ snoozed_until: until }) => (until !== null && until > now ? until : null)).map(
      ([until, ids]) => ({ ids, act, until }),
    );
  return [];
}

/** One act for all that were alike. */
function grouped<T>(alerts: readonly Alert[], by: (alert: Alert) => T): [T, number[]][] {
  const groups = new Map<T, number[]>();
  for (const alert of alerts) groups.set(by(alert), [...(groups.get(by(alert)) ?? []), alert.id]);
  return [...groups];
}
