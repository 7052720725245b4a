// Owns the series behind the chart that compares: fetched for metric, devices and range, then kept live by events.
import { Problem } from '$lib/api/problem';
import { api } from '$lib/api/client';
import type { LiveEvent, Series } from '$lib/api/types';
import { RANGE_MS, type Range } from '$lib/chart/ranges';
import { serverNow } from '$lib/format/server-clock';
import type { Follower } from '$lib/live/connection.svelte';
import { mergeSeries, trimSeries } from '$lib/state/merge';
import { session } from '$lib/state/session.svelte';

export interface Choice {
  metric: string;
  devices: readonly string[];
  range: Range;
}

export class Comparison implements Follower {
  series = $state.raw<ReadonlyMap<string, Series>>(new Map());
  /** What `series` was fetched for: while something else is on its way, the old lines stay on the screen. */
  shown = $state.raw<Choice | null>(null);
  failed = $state.raw<unknown>(null);
  #wanted: Choice = { metric: 'ph', devices: [], range: 'h24' };
  #asked = 0;

  constructor(private readonly points: number) {}

  show(choice: Choice): void {
    this.#wanted = choice;
    this.refresh().catch(() => undefined); // `failed` says it
  }

  async refresh(): Promise<void> {
    const asked = ++this.#asked;
    const choice = this.#wanted;
    const to = serverNow();
    const span = { from: to - RANGE_MS[choice.range], to };
    try {
      const found = await Promise.all(
        choice.devices.map((device) =>
          api.series(device, choice.metric, span, this.points).catch((cause: unknown) => {
            // The legend says that there is no such device; the others are drawn all the same.
            if (cause instanceof Problem && cause.status === 404) return null;
            throw cause;
          }),
        ),
      );
      if (asked !== this.#asked) return;
      this.series = new Map(found.flatMap((series) => (series ? [[series.device, series] as const] : [])));
      this.shown = choice;
      this.failed = null;
    } catch (cause) {
      if (session.ended(cause) || asked !== this.#asked) return;
      this.failed = cause;
      throw cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    if (!this.shown) return;
    const { range } = this.shown;
    const next = new Map(this.series);
    for (const event of events) {
      if (event.type !== 'readings') continue;
      const series = next.get(event.device);
      if (!series) continue;
      const merged = mergeSeries(series, event.readings);
      if (merged !== series)
        next.set(event.device, trimSeries(merged, serverNow() - RANGE_MS[range] - series.bucket_ms));
    }
    if ([...next].some(([name, series]) => series !== this.series.get(name))) this.series = next;
  }
}
