// Owns what is known of all devices: registration, status and latest readings; their trends are beside it.
// Each device is an object of its own, so that one reading repaints one row.
import { api } from '$lib/api/client';
import type { Device, DeviceState, LiveEvent, Reading, Series } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import { connection, type Follower } from '$lib/live/connection.svelte';
import { CORE_METRICS, orderMetrics } from '$lib/metrics';
import { SvelteMap } from 'svelte/reactivity';
import { faultsOf, stateAt } from './health';
import { groupLatest, mergeLatest, mergeSeries, seen, type Latest } from './merge';
import { now } from './now.svelte';
import { Trends } from './trends.svelte';

export class Entry {
  device = $state.raw() as Device;
  latest = $state.raw<Latest>({});
  trends = $state.raw<Readonly<Record<string, Series>>>({});

  constructor(device: Device) {
    this.device = device;
  }

  get state(): DeviceState {
    // While we hear nothing from the server, a silence says nothing about the device.
    const blind = connection.status !== 'live' ? connection.upToDateAt : null;
    return stateAt(this.device, blind ?? now.value);
  }

  get faults(): string[] {
    return faultsOf(this.device, this.latest);
  }

  take(readings: readonly Reading[], at: number): void {
    this.latest = mergeLatest(this.latest, readings);
    this.device = seen(this.device, at);
    const trends: Record<string, Series> = {};
    for (const [metric, series] of Object.entries(this.trends))
      trends[metric] = mergeSeries(series, readings);
    this.trends = trends;
  }
}

class Fleet implements Follower {
  readonly entries = new SvelteMap<string, Entry>();
  readonly trends = new Trends(this.entries, () => this.metrics);
  #loaded = $state(false);
  #failed = $state.raw<unknown>(null);
  #version = $state(0);
  // A string, so that a new reading of a known metric is no news to whoever lists the metrics.
  #metricNames = $state(CORE_METRICS.join(' '));
  /** The core metrics and whatever else any device measures. */
  readonly metrics: string[] = $derived(this.#metricNames.split(' '));

  /** Whether the first answer has come; before it, the page shows skeletons. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get failed(): unknown {
    return this.#failed;
  }

  /** Rises when a device comes, goes or changes its state; not with each reading. */
  get version(): number {
    return this.#version;
  }

  async refresh(): Promise<void> {
    try {
      const [devices, latest] = await Promise.all([api.devices(), api.latest()]);
      const readings = groupLatest(latest);
      for (const device of devices) {
        const entry = this.#put(device);
        entry.latest = mergeLatest({}, readings.get(device.name) ?? []);
      }
      const names = new Set(devices.map((device) => device.name));
      for (const name of this.entries.keys()) if (!names.has(name)) this.entries.delete(name);
      this.#note(latest);
      this.#version += 1;
      this.#failed = null;
      this.#loaded = true;
      // After the values: only now is it known how many there are, and of what.
      await this.trends.load();
    } catch (cause) {
      this.#failed = cause;
      throw cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    const at = serverNow();
    for (const event of events) {
      if (event.type === 'device') this.put(event.device);
      else if (event.type === 'readings') {
        this.entries.get(event.device)?.take(event.readings, at);
        this.#note(event.readings);
        this.trends.reach(at);
      }
    }
  }

  put(device: Device): void {
    const known = this.entries.get(device.name)?.device;
    this.#put(device);
    if (known?.state !== device.state || known.location !== device.location) this.#version += 1;
  }

  clear(): void {
    this.entries.clear();
    this.trends.clear();
    this.#loaded = false;
    this.#version += 1;
  }

  #put(device: Device): Entry {
    let entry = this.entries.get(device.name);
    if (entry) entry.device = device;
    else {
      entry = new Entry(device);
      entry.trends = this.trends.of(device.name);
      this.entries.set(device.name, entry);
    }
    return entry;
  }

  #note(readings: readonly Reading[]): void {
    const known = new Set(this.metrics);
    if (readings.every(({ metric }) => known.has(metric))) return;
    this.#metricNames = orderMetrics([...known, ...readings.map(({ metric }) => metric)]).join(' ');
  }
}

export const fleet = new Fleet();
