// Owns what the dashboard asks of the server for reports. Statistics of many devices are asked for in parts: each answer
// comes within moments, and it can be said how far they are.
import { call } from './call';
import type { Per } from './alert-types';
import type { Span } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];
export type StatisticsRow = Schemas['StatisticsRow'];
export type Exceedance = Schemas['Exceedance'];
export type HeldLimit = Schemas['HeldLimit'];
/** `whole`: one row for all of the time. */
export type ReportPer = Per | 'whole';

/** Which devices and metrics; names with commas between them. */
export interface ReportScope {
  device?: string;
  location?: string;
  metric?: string;
}

export type ReportQuery = ReportScope & Span;

const DAY_MS = 86_400_000;
/** Days of one device that are counted within a moment. */
const DAYS_AT_ONCE = 240;

/** Names in parts that each take a moment. Pure. */
export function parts(names: readonly string[], { from, to }: Span): string[] {
  const days = Math.max(1, (to - from) / DAY_MS);
  const size = Math.max(1, Math.floor(DAYS_AT_ONCE / days));
  const found: string[] = [];
  for (let at = 0; at < names.length; at += size) found.push(names.slice(at, at + size).join(','));
  return found;
}

export const reportsApi = {
  /** Of the devices named, part by part; `told` hears how many of them are done. */
  statistics: async (
    names: readonly string[],
    { metric, from, to }: ReportQuery,
    per: ReportPer,
    told: (done: number) => void = () => undefined,
  ): Promise<StatisticsRow[]> => {
    const rows: StatisticsRow[] = [];
    let done = 0;
    for (const device of parts(names, { from, to })) {
      const query = { per, device, from, to, ...(metric ? { metric } : {}) };
      rows.push(...(await call('get', '/api/v1/reports/statistics', { query })).rows);
      done += device.split(',').length;
      told(done);
    }
    return rows;
  },
  exceedances: async (query: ReportQuery) =>
    (await call('get', '/api/v1/reports/exceedances', { query })).rows,
  availability: async ({ device, location, from, to }: ReportQuery) =>
    (
      await call('get', '/api/v1/availability', {
        query: {
          per: 'whole',
          by: 'device',
          from,
          to,
          ...(device ? { device } : {}),
          ...(location ? { location } : {}),
        },
      })
    ).rows,
};

/** Where the file of a section is. */
export function fileOf(
  what: 'statistics' | 'exceedances' | 'availability',
  query: ReportQuery,
  per?: ReportPer,
): string {
  const { metric, ...rest } = query;
  const words = Object.entries({
    ...rest,
    ...(what === 'availability' ? {} : { metric }),
    ...(per ? { per } : {}),
  }).filter(([, value]) => value !== undefined);
  const path = what === 'availability' ? 'availability.csv' : `reports/${what}.csv`;
  return `/api/v1/${path}?${new URLSearchParams(words.map(([name, value]) => [name, String(value)]))}`;
}
