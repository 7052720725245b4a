// Owns the rows of one report: everything that its sections show, asked for once, and how far the answers are.
import type { Alert, Availability, Outage } from '$lib/api/alert-types';
import { alertsApi } from '$lib/api/alerts';
import {
  reportsApi,
  type Exceedance,
  type ReportPer,
  type ReportQuery,
  type StatisticsRow,
} from '$lib/api/reports';
import { session } from '$lib/state/session.svelte';

/** As many of a list as a report tells; of more it says so. */
export const MOST_TOLD = 200;

export interface Rows {
  availability: readonly Availability[];
  exceedances: readonly Exceedance[];
  /** One row for all of the time. */
  whole: readonly StatisticsRow[];
  /** By day, week or month, if that is wanted. */
  parts: readonly StatisticsRow[];
  outages: readonly Outage[];
  alerts: readonly Alert[];
  /** When all of that was known. */
  at: number;
}

export class Report {
  #rows = $state.raw<Rows | null>(null);
  #failed = $state.raw<unknown>(null);
  #done = $state(0);
  #of = $state(0);
  #dropped = false;
  /** Whether its time has not ended: the server gives nothing of what is to come. */
  readonly ongoing: boolean;

  constructor(
    readonly query: ReportQuery,
    readonly per: ReportPer,
    /** The devices that are meant, also those that were not in service then: they may have handed in what is older. */
    private readonly names: readonly string[],
    private readonly now: () => number,
  ) {
    this.ongoing = query.to >= Math.floor(now()) - 1_000;
  }

  /** Null until all of it is there. */
  get rows(): Rows | null {
    return this.#rows;
  }

  get failed(): unknown {
    return this.#failed;
  }

  /** Devices that are counted, of how many. */
  get progress(): { done: number; of: number } {
    return { done: this.#done, of: this.#of };
  }

  /** Another one is wanted: this one asks no more. */
  drop(): void {
    this.#dropped = true;
  }

  /** Never rejects. */
  async load(): Promise<void> {
    this.#failed = null;
    try {
      const { query, per, names } = this;
      const availability = await reportsApi.availability(query);
      const several = per === 'whole' ? 1 : 2;
      [this.#done, this.#of] = [0, names.length * several];
      const exceedances = await this.#unless(() => reportsApi.exceedances(query));
      const [outages, alerts] = await this.#unless(() =>
        Promise.all([this.#outages(names), this.#alerts(names)]),
      );
      const told = (before: number) => (done: number) => {
        this.#done = before + done;
        if (this.#dropped) throw new Dropped();
      };
      const whole = await reportsApi.statistics(names, query, 'whole', told(0));
      const parts = per === 'whole' ? [] : await reportsApi.statistics(names, query, per, told(names.length));
      this.#rows = { availability, exceedances, whole, parts, outages, alerts, at: this.now() };
    } catch (cause) {
      if (!(cause instanceof Dropped) && !session.ended(cause)) this.#failed = cause;
    }
  }

  async #unless<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#dropped) throw new Dropped();
    return ask();
  }

  /** The newest of the time, of these devices and of the server itself. */
  async #outages(names: readonly string[]): Promise<Outage[]> {
    const { from, to, location, device } = this.query;
    const only = device && !device.includes(',') ? { device } : location ? { location } : {};
    const { outages } = await alertsApi.outages({ ...only, from, to }, 500);
    const meant = new Set(names);
    return outages.filter(({ device }) => device === null || meant.has(device));
  }

  async #alerts(names: readonly string[]): Promise<Alert[]> {
    const { from, to, location, device, metric } = this.query;
    const { alerts } = await alertsApi.list(
      {
        from,
        to,
        ...(location ? { location } : {}),
        ...(device && !device.includes(',') ? { device } : {}),
        ...(metric && !metric.includes(',') ? { metric } : {}),
      },
      500,
    );
    const [meant, metrics] = [new Set(names), metric?.split(',')];
    return alerts.filter(
      (alert) =>
        (alert.device === null || meant.has(alert.device)) &&
        (!metrics || alert.metric === null || metrics.includes(alert.metric)),
    );
  }
}

class Dropped extends Error {}
