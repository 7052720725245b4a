// Owns the short trends beside the values: of a small fleet all at once, of a large one those that somebody looks at.
import { api } from '$lib/api/client';
import type { Series } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import { trimSeries } from './merge';
import { stored } from './stored';

export type TrendRange = 'm15' | 'h1' | 'h24';
export const TREND_RANGES: readonly TrendRange[] = ['m15', 'h1', 'h24'];
const TREND_MS: Record<TrendRange, number> = { m15: 900_000, h1: 3_600_000, h24: 86_400_000 };
const TREND_POINTS = 90;
/** More devices than these are not asked for at once: ten thousand trends are a hundred megabytes. */
const AT_ONCE = 200;
/** So many are asked for side by side while somebody scrolls, and so many are kept. */
const PARALLEL = 4;
const KEPT = 120;
/** Whoever scrolls past has not looked. */
const LINGER_MS = 200;

type Group = Readonly<Record<string, Series>>;
interface Holder {
  trends: Group;
}

export class Trends {
  #range = $state<TrendRange>(stored.read('trend', TREND_RANGES) ?? 'm15');
  #from = $state(Number.POSITIVE_INFINITY);
  #to = $state(0);
  #known = new Map<string, Group>();
  #wanted: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;

  constructor(
    private readonly holders: ReadonlyMap<string, Holder>,
    private readonly metrics: () => readonly string[],
  ) {}

  get range(): TrendRange {
    return this.#range;
  }

  set range(range: TrendRange) {
    this.#range = range;
    stored.write('trend', range);
    void this.load().catch(() => undefined); // the old trends stay until the next round
  }

  /** The common time axis of all. A new installation is not shown as a speck at the right edge. */
  readonly span: { from: number; to: number } = $derived({
    from: Math.min(this.#to - 120_000, Math.max(this.#from, this.#to - TREND_MS[this.#range])),
    to: this.#to,
  });

  of(name: string): Group {
    return this.#known.get(name) ?? {};
  }

  /** The axis goes on with the readings. */
  reach(time: number): void {
    if (time > this.#to) this.#to = time;
  }

  /** Says which devices are on the screen. Of a small fleet all are known already. */
  look(names: readonly string[]): void {
    this.#wanted = names;
    if (this.holders.size <= AT_ONCE) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fetchWanted(), LINGER_MS);
  }

  async load(): Promise<void> {
    const round = ++this.#round;
    this.reach(serverNow());
    if (this.holders.size > AT_ONCE) {
      this.#known.clear();
      await this.#fetchWanted();
      return;
    }
    const [range, span] = [this.#range, this.#ask()];
    const answers = await Promise.all(this.metrics().map((metric) => api.trends(metric, span, TREND_POINTS)));
    if (round !== this.#round || range !== this.#range) return; // another range was chosen meanwhile
    const groups = new Map<string, Record<string, Series>>();
    for (const series of answers.flat()) {
      const group = groups.get(series.device) ?? {};
      group[series.metric] = trimSeries(series, span.from - series.bucket_ms);
      groups.set(series.device, group);
    }
    this.#known = groups;
    this.#from = Number.POSITIVE_INFINITY;
    for (const group of groups.values()) this.#begin(group);
    for (const [name, holder] of this.holders) holder.trends = this.of(name);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#known.clear();
    this.#wanted = [];
  }

  #ask(): { from: number; to: number } {
    const to = serverNow();
    return { from: to - TREND_MS[this.#range], to };
  }

  #begin(group: Group): void {
    for (const { time } of Object.values(group)) this.#from = Math.min(this.#from, time[0] ?? this.#from);
  }

  /** A trend that fails to come leaves its place empty: the value beside it says what matters. */
  async #fetchWanted(): Promise<void> {
    const [range, span] = [this.#range, this.#ask()];
    const missing = this.#wanted.filter((name) => !this.#known.has(name));
    const one = async (): Promise<void> => {
      for (let name = missing.shift(); name !== undefined; name = missing.shift()) {
        if (!this.#wanted.includes(name) || range !== this.#range) continue;
        const device = name;
        const found = await Promise.all(
          this.metrics().map((metric) => api.series(device, metric, span, TREND_POINTS)),
        ).catch(() => []);
        if (range !== this.#range) return;
        this.#keep(device, Object.fromEntries(found.map((series) => [series.metric, series])));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, one));
  }

  #keep(name: string, group: Group): void {
    this.#known.set(name, group);
    this.#begin(group);
    const holder = this.holders.get(name);
    if (holder) holder.trends = group;
    for (const old of this.#known.keys()) {
      if (this.#known.size <= KEPT) return;
      if (this.#wanted.includes(old)) continue;
      this.#known.delete(old);
      const left = this.holders.get(old);
      if (left) left.trends = {};
    }
  }
}
