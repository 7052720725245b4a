// Checks that catching up tells of what came unheard, takes away what is over, and fails aloud.
import type { Alert } from '$lib/api/alert-types';
import { Problem } from '$lib/api/problem';
import type { LiveEvent } from '$lib/api/types';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const asked = vi.hoisted(() => ({ list: vi.fn() }));
vi.mock('$lib/api/alerts', () => ({ alertsApi: { list: asked.list } }));
vi.mock('$lib/live/connection.svelte', () => ({ connection: { follow: () => () => undefined } }));
vi.mock('./session.svelte', () => ({ session: { ended: () => false } }));
vi.mock('./router.svelte', () => ({ router: { go: () => undefined } }));
vi.mock('$lib/i18n/index.svelte', () => ({ i18n: { language: 'en', t: { alerts: { show: 'Show' } } } }));

const alert = (id: number, over: Partial<Alert> = {}): Alert =>
  ({
    id,
    severity: 'critical',
    state: 'open',
    silenced: false,
    historical: false,
    parent: null,
    snoozed_until: null,
    changed_at: 1_000,
    text: { id: `peringatan ${id}`, en: `alert ${id}` },
    ...over,
  }) as Alert;
const raised = (about: Alert): LiveEvent =>
  ({
    type: 'alert',
    news: { v: 1, key: `alert-${about.id}-1`, what: 'raised', at: 1_000, text: about.text, alert: about },
  }) as LiveEvent;
const answer = (...alerts: Alert[]) => ({
  alerts,
  counts: { open: 0, acknowledged: 0, critical: 0, unread: 0 },
});

beforeEach(() => {
  vi.resetModules();
  asked.list.mockReset();
});

async function begun(...first: Alert[]) {
  const { alerts } = await import('./alerts.svelte');
  const { toasts } = await import('./toasts.svelte');
  alerts.start();
  asked.list.mockResolvedValueOnce(answer(...first));
  await alerts.refresh();
  const groups = (): unknown[] => toasts.list.map(({ group }) => group);
  const found = async (...now: Alert[]): Promise<void> => {
    asked.list.mockResolvedValueOnce(answer(...now));
    await alerts.refresh();
  };
  return { alerts, groups, found };
}

describe('catching up', () => {
  it('tells nobody of what was there when the page was opened', async () => {
    const { groups } = await begun(alert(1));
    expect(groups()).toEqual([]);
  });

  it('tells of what became critical unheard, but not of what is quiet', async () => {
    const { groups, found } = await begun(alert(1), alert(2, { severity: 'warning' }));
    await found(
      alert(1),
      alert(2),
      alert(3),
      alert(4, { silenced: true }),
      alert(5, { snoozed_until: Date.now() + 60_000 }),
      alert(6, { parent: 3 }),
      alert(7, { state: 'acknowledged' }),
      alert(8, { severity: 'warning' }),
    );
    expect(groups()).toEqual(['alert-2', 'alert-3']);
  });

  it('takes away what was said of alerts that are over or seen to', async () => {
    const { groups, found } = await begun();
    await found(alert(1), alert(2), alert(3));
    await found(alert(1), alert(2, { state: 'acknowledged' }));
    expect(groups()).toEqual(['alert-1']);
  });

  it('tells once, though the event comes after the answer', async () => {
    const { alerts, groups, found } = await begun();
    await found(alert(1));
    const { toasts } = await import('./toasts.svelte');
    toasts.dismissGroup('alert-1');
    alerts.apply([raised(alert(1))]);
    expect(groups()).toEqual([]);
    alerts.apply([raised(alert(2))]);
    expect(groups()).toEqual(['alert-2']);
  });

  it('keeps what an event has said while an older answer was on its way', async () => {
    const { alerts, groups } = await begun();
    let come = (_: unknown): void => undefined;
    asked.list.mockReturnValueOnce(new Promise((resolve) => (come = resolve)));
    const refreshing = alerts.refresh();
    alerts.apply([raised(alert(9))]);
    come(answer());
    await refreshing;
    expect([...alerts.active.keys()]).toEqual([9]);
    expect(groups()).toEqual(['alert-9']);
  });

  it('rejects when only the alerts fail to come, so that nothing is called live', async () => {
    const { alerts } = await begun(alert(1));
    asked.list.mockRejectedValueOnce(new Problem(503, 'busy', ''));
    await expect(alerts.refresh()).rejects.toThrow('503');
  });
});

describe('a list that leaves older alerts out', () => {
  it('neither takes them for over nor, when they come in again, for new', async () => {
    const { missed } = await import('$lib/alert/news');
    const known = (...ids: number[]) => new Map(ids.map((id) => [id, alert(id)]));
    expect(missed(known(9, 8), known(10, 9), 0, 2)).toMatchObject({ begun: [{ id: 10 }], over: [] });
    expect(missed(known(9, 8), known(9, 7), 0, 2).begun).toEqual([]);
  });
});
