// Owns doing something to alerts: the request, what it says when it is done or refused, and counting anew.
import { alertsApi, type AlertQuery } from '$lib/api/alerts';
import type { Act } from '$lib/api/alert-types';
import { formatCount } from '$lib/format/number';
import { i18n } from '$lib/i18n/index.svelte';
import { problemText } from '$lib/i18n/words';
import { alerts } from '$lib/state/alerts.svelte';
import { session } from '$lib/state/session.svelte';
import { toasts } from '$lib/state/toasts.svelte';

/** Does it and says so; a refusal is for the caller to show. */
export async function act(body: Act, note = ''): Promise<void> {
  await alertsApi.act(body);
  if (note) await alertsApi.act({ ids: body.ids, act: 'note', text: note });
  alerts.again();
  toasts.show({ text: i18n.t.alerts.act.done[body.act], tone: 'ok' });
}

/** For acts without a form: a refusal is a toast, too. True if it was done. */
export async function tryAct(body: Act): Promise<boolean> {
  try {
    await act(body);
    return true;
  } catch (cause) {
    refused(cause);
    return false;
  }
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
    ...(clearance ? { action: { label: t.undo, run: () => void bringBack(clearance.id, after) } } : {}),
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
