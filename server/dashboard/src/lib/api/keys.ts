// Owns what the dashboard asks of the server about API keys.
import { call } from './call';
import type { NewKey } from './types';

export const keysApi = {
  list: async () => (await call('get', '/api/v1/keys', {})).keys,
  create: (key: NewKey) => call('post', '/api/v1/keys', { body: key }),
  revoke: (id: string) => call('delete', '/api/v1/keys/{id}', { path: { id } }),
};
