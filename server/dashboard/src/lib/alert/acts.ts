// Owns doing something to alerts: the request, what it says when it is done or refused, taking it back, and counting anew.
import { alertsApi, type AlertQuery } from '$lib/api/alerts';
import type { Act, Alert } from '$lib/api/alert-types';
import { formatCount } from '$lib/format/number';
import { serverNow } from '$lib/format/server-clock';
import { i18n } from '$lib/i18n/index.svelte';
import { problemText } from '$lib/i18n/words';
import { alerts } from '$lib/state/alerts.svelte';
import { session } from '$lib/state/session.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import { undoOf } from './undo';

/**
 * Does it, says so, and offers to take it back where that can be. A refusal is for the caller to show; `after` reads anew
 * what is on the screen.
 */
export async function act(
  body: Act,
  before: readonly Alert[] = [],
  after: () => void = () => undefined,
): Promise<void> {
  const { done } = await alertsApi.act(body);
  alerts.again();
  after();
  // What somebody else had done meanwhile is not ours to take back.
  const undo = undoOf(
    body,
    before.filter(({ id }) => done.includes(id)),
    serverNow(),
  );
  toasts.show({
    text: i18n.t.alerts.act.done[body.act],
    tone: 'ok',
    ...(undo.length > 0
      ? { action: { label: i18n.t.common.undo, run: () => void takeBack(undo, body.act, after) } }
      : {}),
  });
}

/** For acts without a form: a refusal is a toast, too. */
export async function tryAct(body: Act, before: readonly Alert[], after: () => void): Promise<void> {
  await act(body, before, after).catch(refused);
}

async function takeBack(acts: readonly Act[], done: Act['act'], after: () => void): Promise<void> {
  try {
    for (const each of acts) {
      // What has ended since would begin anew, and be told to everybody.
      const ids = done === 'acknowledge' ? await stillActive(each.ids) : each.ids;
      if (ids.length > 0) await alertsApi.act({ ...each, ids });
    }
    toasts.show({ text: i18n.t.common.undone, tone: 'ok' });
  } catch (cause) {
    refused(cause);
  }
  alerts.again();
  after();
}

async function stillActive(ids: readonly number[]): Promise<number[]> {
  const now = await Promise.all(ids.map((id) => alertsApi.one(id)));
  return now.filter(({ alert }) => alert.state !== 'resolved').map(({ alert }) => alert.id);
}

export function refused(cause: unknown): void {
  if (!session.ended(cause)) toasts.show({ text: problemText(i18n.t, cause), tone: 'bad' });
}

/** Clears what the filter finds out of the lists, and offers to bring it back. */
export async function clearAway(filter: AlertQuery, after: () => void): Promise<void> {
  const { clearance } = await alertsApi.clear(filter);
  const count = clearance?.alerts ?? 0;
  alerts.again();
  after();
  const t = i18n.t.alerts.clear;
  toasts.show({
    text: t.done(count, formatCount(count, i18n.locale)),
    tone: 'ok',
    ...(clearance
      ? { action: { label: i18n.t.common.undo, run: () => void bringBack(clearance.id, after) } }
      : {}),
  });
}

export async function bringBack(clearance: number, after: () => void): Promise<void> {
  try {
    await alertsApi.restore(clearance);
    alerts.again();
    after();
    toasts.show({ text: i18n.t.alerts.clear.undone, tone: 'ok' });
  } catch (cause) {
    refused(cause);
  }
}
