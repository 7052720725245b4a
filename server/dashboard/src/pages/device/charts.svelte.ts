// Owns the series behind the charts of one device: fetched for the range, then kept live by events.
import { api } from '$lib/api/client';
import type { LiveEvent, Revision, Series } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import type { Follower } from '$lib/live/connection.svelte';
import { mergeSeries, trimSeries } from '$lib/state/merge';
import { RANGE_MS, type Range } from '$lib/chart/ranges';

export class Charts implements Follower {
  series = $state.raw<Readonly<Record<string, Series>>>({});
  /** What was computed again, so that a chart can say so. */
  revisions = $state.raw<readonly Revision[]>([]);
  /** The range that `series` was fetched for: while another is on its way, the old one stays on screen. */
  range = $state<Range | null>(null);
  failed = $state.raw<unknown>(null);
  #wanted: Range;

  constructor(
    private readonly device: string,
    private readonly metrics: () => readonly string[],
    private readonly points: number,
    range: Range,
  ) {
    this.#wanted = range;
  }

  show(range: Range): void {
    this.#wanted = range;
    this.refresh().catch(() => undefined); // `failed` says it
  }

  async refresh(): Promise<void> {
    const range = this.#wanted;
    const to = serverNow();
    const from = to - RANGE_MS[range];
    try {
      const [revisions, ...answers] = await Promise.all([
        api.recomputations(this.device),
        ...this.metrics().map((metric) => api.series(this.device, metric, { from, to }, this.points)),
      ]);
      if (range !== this.#wanted) return;
      this.series = Object.fromEntries(answers.map((series) => [series.metric, series]));
      this.revisions = revisions;
      this.range = range;
      this.failed = null;
    } catch (cause) {
      if (range === this.#wanted) this.failed = cause;
      throw cause;
    }
  }

  apply(events: readonly LiveEvent[]): void {
    const readings = events.flatMap((event) =>
      event.type === 'readings' && event.device === this.device ? event.readings : [],
    );
    if (readings.length === 0 || this.range === null) return;
    const from = serverNow() - RANGE_MS[this.range];
    this.series = Object.fromEntries(
      Object.entries(this.series).map(([metric, series]) => [
        metric,
        trimSeries(mergeSeries(series, readings), from - series.bucket_ms),
      ]),
    );
  }
}
