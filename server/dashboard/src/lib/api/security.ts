// Owns what the dashboard asks of the server about one's own sessions and second factor, and an admin about another's.
import { call } from './call';

export const securityApi = {
  sessions: async () => (await call('get', '/api/v1/sessions', {})).sessions,
  end: (id: string) => call('delete', '/api/v1/sessions/{id}', { path: { id } }),
  endAll: () => call('delete', '/api/v1/sessions', {}),

  secondFactor: () => call('get', '/api/v1/session/second-factor', {}),
  propose: (password: string) => call('post', '/api/v1/session/second-factor', { body: { password } }),
  confirm: async (code: string) =>
    (await call('post', '/api/v1/session/second-factor/confirm', { body: { code } })).recovery_codes,
  disable: (password: string) =>
    call('post', '/api/v1/session/second-factor/disable', { body: { password } }),
  /** For somebody who has lost the telephone. */
  removeOf: (name: string) => call('delete', '/api/v1/users/{name}/second-factor', { path: { name } }),
};
