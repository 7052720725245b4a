// Owns how roles are named. One of a newer server is shown as the server says it.
import type { Role } from '$lib/api/types';
import type { Dictionary } from '$lib/i18n/dictionary';

/** Who may most first. */
export const ROLES: readonly Role[] = ['admin', 'supervisor', 'technician', 'auditor'];

export function roleWords(t: Dictionary, role: string): string {
  const { roles } = t.people;
  return Object.hasOwn(roles, role) ? roles[role as Role] : role;
}
