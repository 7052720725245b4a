// Owns what is known of all devices: registration and status, latest readings, short trends.
// Each device is an object of its own, so that one reading repaints one row.
import { api } from '$lib/api/client';
import type { Device, DeviceState, LiveEvent, Reading, Series } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import { connection, type Follower } from '$lib/live/connection.svelte';
import { CORE_METRICS, orderMetrics } from '$lib/metrics';
import { SvelteMap } from 'svelte/reactivity';
import { faultsOf, stateAt } from './health';
import { groupLatest, mergeLatest, mergeSeries, seen, trimSeries, type Latest } from './merge';
import { now } from './now.svelte';
import { stored } from './stored';

export type TrendRange = 'm15' | 'h1' | 'h24';
export const TREND_RANGES: readonly TrendRange[] = ['m15', 'h1', 'h24'];
const TREND_MS: Record<TrendRange, number> = { m15: 900_000, h1: 3_600_000, h24: 86_400_000 };
const TREND_POINTS = 90;

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
  #loaded = $state(false);
  #failed = $state.raw<unknown>(null);
  #trendRange = $state<TrendRange>(stored.read('trend', TREND_RANGES) ?? 'm15');

  /** Whether the first answer has come; before it, the page shows skeletons. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get failed(): unknown {
    return this.#failed;
  }

  get trendRange(): TrendRange {
    return this.#trendRange;
  }

  set trendRange(range: TrendRange) {
    this.#trendRange = range;
    stored.write('trend', range);
    void this.#loadTrends().catch(() => undefined); // the old trends stay until the next round
  }

  // A string, so that a new reading of a known metric is no news to whoever lists the metrics.
  readonly #metricNames: string = $derived(
    orderMetrics([
      ...CORE_METRICS,
      ...[...this.entries.values()].flatMap((entry) => Object.keys(entry.latest)),
    ]).join(' '),
  );

  /** The core metrics and whatever else any device measures. */
  readonly metrics: string[] = $derived(this.#metricNames.split(' '));

  /** The common time axis of all trends. A new installation is not shown as a speck at the right edge. */
  readonly trendSpan: { from: number; to: number } = $derived.by(() => {
    let first = Number.POSITIVE_INFINITY;
    let to = 0;
    for (const { trends } of this.entries.values()) {
      for (const { time } of Object.values(trends)) {
        first = Math.min(first, time[0] ?? first);
        to = Math.max(to, time.at(-1) ?? 0);
      }
    }
    return { from: Math.min(to - 120_000, Math.max(first, to - TREND_MS[this.#trendRange])), to };
  });

  async refresh(): Promise<void> {
    const before = this.metrics.length;
    try {
      const [devices, latest] = await Promise.all([api.devices(), api.latest(), this.#loadTrends()]);
      const readings = groupLatest(latest);
      for (const device of devices) {
        const entry = this.#put(device);
        entry.latest = mergeLatest({}, readings.get(device.name) ?? []);
      }
      const names = new Set(devices.map((device) => device.name));
      for (const name of this.entries.keys()) if (!names.has(name)) this.entries.delete(name);
      // A metric that nobody had before gets its trends, too.
      if (this.metrics.length > before) await this.#loadTrends();
      this.#failed = null;
      this.#loaded = true;
    } catch (cause) {
      this.#failed = cause;
      throw cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    const at = serverNow();
    for (const event of events) {
      if (event.type === 'device') this.#put(event.device);
      else if (event.type === 'readings') this.entries.get(event.device)?.take(event.readings, at);
    }
  }

  put(device: Device): void {
    this.#put(device);
  }

  clear(): void {
    this.entries.clear();
    this.#trends.clear();
    this.#loaded = false;
  }

  #put(device: Device): Entry {
    let entry = this.entries.get(device.name);
    if (entry) entry.device = device;
    else {
      entry = new Entry(device);
      entry.trends = this.#trends.get(device.name) ?? {};
      this.entries.set(device.name, entry);
    }
    return entry;
  }

  /** Trends by device, kept until their device is known: both are fetched at the same time. */
  #trends = new Map<string, Record<string, Series>>();

  async #loadTrends(): Promise<void> {
    const range = this.#trendRange;
    const to = serverNow();
    const from = to - TREND_MS[range];
    const answers = await Promise.all(
      this.metrics.map((metric) => api.trends(metric, { from, to }, TREND_POINTS)),
    );
    if (range !== this.#trendRange) return; // another range was chosen meanwhile
    this.#trends.clear();
    for (const series of answers.flat()) {
      const group = this.#trends.get(series.device) ?? {};
      group[series.metric] = trimSeries(series, from - series.bucket_ms);
      this.#trends.set(series.device, group);
    }
    for (const [name, entry] of this.entries) entry.trends = this.#trends.get(name) ?? {};
  }
}

export const fleet = new Fleet();
