// Owns what the dashboard asks of the server about people who come, and about one's own profile.
import { call } from './call';
import type { NewInvitation, ProfileChange, Role } from './types';

export const peopleApi = {
  invite: (invitation: NewInvitation) => call('post', '/api/v1/invitations', { body: invitation }),
  /** The newest first; those that ended stay for a month. */
  invitations: async () => (await call('get', '/api/v1/invitations', {})).invitations,
  withdraw: (id: string) => call('delete', '/api/v1/invitations/{id}', { path: { id } }),

  look: (secret: string) => call('post', '/api/v1/join/look', { body: { secret } }),
  join: (secret: string, name: string, password: string) =>
    call('post', '/api/v1/join', { body: { secret, name, password } }),

  /** Whether accounts can be asked for. */
  signUpRule: async () => (await call('get', '/api/v1/sign-up', {})).registration,
  signUp: (wish: { name: string; password: string; display_name?: string; email?: string }) =>
    call('post', '/api/v1/sign-up', { body: wish }),
  signUps: async () => (await call('get', '/api/v1/sign-ups', {})).sign_ups,
  approve: (name: string, role: Role, withoutEmail: boolean) =>
    call('post', '/api/v1/sign-ups/{name}/approve', {
      path: { name },
      body: { role, ...(withoutEmail ? { email: null } : {}) },
    }),
  refuse: (name: string) => call('post', '/api/v1/sign-ups/{name}/refuse', { path: { name } }),

  profile: () => call('get', '/api/v1/profile', {}),
  /** What is not named stays. */
  changeProfile: (change: ProfileChange) => call('patch', '/api/v1/profile', { body: change }),
};
