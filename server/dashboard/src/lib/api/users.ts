// Owns what the dashboard asks of the server about accounts.
import { call } from './call';
import type { NewUser, User, UserChange } from './types';

/** Most that the server gives in one answer. */
const MOST = 500;

export const usersApi = {
  /** All of them, by name. */
  list: async (): Promise<User[]> => {
    const all: User[] = [];
    let after: string | null = null;
    do {
      const query: { limit: number; after?: string } = { limit: MOST, ...(after ? { after } : {}) };
      const answer = await call('get', '/api/v1/users', { query });
      all.push(...answer.users);
      after = answer.next;
    } while (after !== null);
    return all;
  },
  create: (user: NewUser) => call('post', '/api/v1/users', { body: user }),
  /** What is not named stays. */
  change: (name: string, change: UserChange) =>
    call('patch', '/api/v1/users/{name}', { path: { name }, body: change }),
  resetPassword: (name: string) => call('post', '/api/v1/users/{name}/reset-password', { path: { name } }),
};
