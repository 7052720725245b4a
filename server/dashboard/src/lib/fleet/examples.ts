// Owns the devices of the tests of the fleet: judged ones, of which each test says only what it is about.
import type { Device, Reading } from '$lib/api/types';
import type { Judged } from '$lib/state/roster.svelte';

export const device = (over: Partial<Device> = {}): Device => ({
  name: 'pi-1',
  sensors: {},
  calibrations: {},
  alarm: null,
  model: null,
  key_sha256: 'f00d',
  certificate: null,
  serial: '10000000a3c40001',
  state: 'online',
  location: null,
  latitude: null,
  longitude: null,
  metrics: [],
  notes: '',
  silent_after_s: null,
  last_seen: 50_000,
  enrolled_at: 0,
  simulated: false,
  agent: '0.1.0',
  clock: 'synced',
  buffer: null,
  probes: {},
  settings: { version: 0, applied: 0, interval_ms: {} },
  ...over,
});

export const reading = (metric: string, value: number | null, over: Partial<Reading> = {}): Reading =>
  ({
    metric,
    unit: metric === 'ph' ? 'pH' : '°C',
    time: 10_000,
    clock: 'synced',
    value,
    fault: value === null ? 'no_answer' : null,
    millivolts: null,
    flags: [],
    spread: null,
    revision: 0,
    ...over,
  }) as Reading;

export function judged(
  name: string,
  over: Omit<Partial<Judged>, 'latest' | 'device'> & {
    values?: Readonly<Record<string, number | null>>;
    device?: Partial<Device>;
  } = {},
): Judged {
  const { values = {}, device: more = {}, state = 'online', ...rest } = over;
  return {
    name,
    device: device({ name, state, serial: `10000000${name.replace(/\D/g, '').padStart(8, '0')}`, ...more }),
    latest: Object.fromEntries(
      Object.entries(values).map(([metric, value]) => [metric, reading(metric, value)]),
    ),
    state,
    faults: Object.entries(values).flatMap(([metric, value]) => (value === null ? [metric] : [])),
    stale: [],
    alert: null,
    ...rest,
  };
}
