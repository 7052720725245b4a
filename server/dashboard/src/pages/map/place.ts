// Owns the act of saying where a device stands, and how it is taken back.
import { mapApi } from '$lib/api/map';
import { i18n } from '$lib/i18n/index.svelte';
import { problemText } from '$lib/i18n/words';
import { fleet } from '$lib/state/fleet.svelte';
import { session } from '$lib/state/session.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import type { Position } from './position';

/** Where a device stands, as far as anybody has said. */
export function positionOf(name: string): Position | null {
  const device = fleet.entries.get(name)?.device;
  if (!device || device.latitude === null || device.longitude === null) return null;
  return { latitude: device.latitude, longitude: device.longitude };
}

/** Rejects with the server's problem; nothing has changed then. */
export async function place(name: string, position: Position): Promise<void> {
  const before = positionOf(name);
  fleet.put(await mapApi.place(name, position));
  toasts.show({
    text: i18n.t.map.saved(name),
    tone: 'ok',
    group: 'map',
    action: { label: i18n.t.common.undo, run: () => void takeBack(name, before) },
  });
}

async function takeBack(name: string, before: Position | null): Promise<void> {
  try {
    fleet.put(await mapApi.place(name, before));
    toasts.show({ text: i18n.t.map.undone(name), tone: 'ok', group: 'map' });
  } catch (cause) {
    if (!session.ended(cause)) toasts.show({ text: problemText(i18n.t, cause), tone: 'bad' });
  }
}
