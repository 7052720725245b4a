// Owns what the dashboard asks of the server about readings of many devices, and the addresses of their files.
import { call } from './call';
import type { components, paths } from './schema';

type Asked = NonNullable<paths['/api/v1/readings']['get']['parameters']['query']>;
/** Which readings; what is absent is not narrowed. */
export type ReadingsQuery = Omit<Asked, 'limit'>;
export type ReadingStatus = NonNullable<Asked['status']>;
export type ReadingsCount = components['schemas']['ReadingsCount'];
export type RunningExport = components['schemas']['RunningExport'];
export type FileForm = RunningExport['format'];

export const readingsApi = {
  /** The newest first; `next` is the `to` of those behind them. */
  list: (query: ReadingsQuery, limit: number) =>
    call('get', '/api/v1/readings', { query: { ...query, limit } }),
  count: (query: ReadingsQuery) => call('get', '/api/v1/readings/count', { query }),
  exports: async () => (await call('get', '/api/v1/readings/exports', {})).exports,
  stopExport: (id: number) => call('delete', '/api/v1/readings/exports/{id}', { path: { id } }),
};

export function fileHref(query: ReadingsQuery, format: FileForm): string {
  const words = Object.entries({ ...query, format }).map(([name, value]) => [name, String(value)]);
  return `/api/v1/readings/export?${new URLSearchParams(words)}`;
}
