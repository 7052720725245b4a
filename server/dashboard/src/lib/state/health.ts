// Owns the judgement on one device: its state by now, its faults, how fresh a value is.
import type { Device, DeviceState, Reading } from '$lib/api/types';
import type { Latest } from './merge';

/** The server calls a device offline after this silence; it sends no event for a silence, so we judge alike. */
export const ONLINE_GRACE_MS = 90_000;

/** After how long a silence a device is offline: one without a board has a time of its own. */
const silentMs = ({ silent_after_s }: Device): number =>
  silent_after_s === null ? ONLINE_GRACE_MS : silent_after_s * 1_000;

/** How often a value is to be expected; without a board nobody says, but for so long it may be silent. */
export const intervalOf = (device: Device, metric: string): number | undefined =>
  device.silent_after_s === null ? device.settings.interval_ms[metric] : silentMs(device) / 3;

export function stateAt(device: Device, now: number): DeviceState {
  if (device.state !== 'online') return device.state;
  return now - (device.last_seen ?? 0) > silentMs(device) ? 'offline' : 'online';
}

/** The metrics whose last reading failed. The reading itself knows best; the status fills in for the others. */
export function faultsOf(device: Device, latest: Latest): string[] {
  const fromStatus = Object.entries(device.probes)
    .filter(([metric, word]) => word !== 'ok' && !latest[metric])
    .map(([metric]) => metric);
  const fromReadings = Object.values(latest)
    .filter((reading) => reading.fault !== null)
    .map((reading) => reading.metric);
  return [...fromStatus, ...fromReadings];
}

/** Whether a value is too old to be taken for the present: three of its intervals, but never under half a minute. */
export function isStale(reading: Reading, intervalMs: number | undefined, now: number): boolean {
  return now - reading.time > Math.max(30_000, 3 * (intervalMs ?? 20_000));
}

/** The metrics of a device that is connected whose values are old all the same: its probe has fallen silent. */
export function staleOf(device: Device, state: DeviceState, latest: Latest, now: number): string[] {
  if (state !== 'online') return [];
  return Object.values(latest)
    .filter((reading) => isStale(reading, intervalOf(device, reading.metric), now))
    .map(({ metric }) => metric);
}

/** The flags that say something about this one value. The simulation has its own badge on the device. */
export function remarksOf(reading: Reading): string[] {
  const remarks: string[] = reading.flags.filter((flag) => flag !== 'simulated');
  if (reading.clock === 'unsynced') remarks.push('clock');
  if (reading.revision > 0) remarks.push('recomputed');
  return remarks;
}
