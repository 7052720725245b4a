// Owns the rules of an account's name and state, and how a refusal of the server is told. Pure.
import { Problem } from '$lib/api/problem';
import type { User } from '$lib/api/types';
import type { Dictionary } from '$lib/i18n/dictionary';
import { problemText } from '$lib/i18n/words';

/** 2 to 32 small letters, digits, '-' and '_'; a letter first. */
export const validName = (name: string): boolean => /^[a-z][a-z0-9_-]{1,31}$/.test(name);

/** Telephones begin a word with a capital letter. */
export const asName = (typed: string): string => typed.trim().toLowerCase();

export type AccountState = 'disabled' | 'first' | 'active';

export function stateOf({ disabled_at, must_change }: User): AccountState {
  if (disabled_at !== null) return 'disabled';
  return must_change ? 'first' : 'active';
}

export type Field = 'name' | 'email';

/** The field at fault; null if it is none of the form's. */
export function fieldOf(cause: unknown): Field | null {
  if (!(cause instanceof Problem)) return null;
  return cause.field === 'name' || cause.field === 'email' ? cause.field : null;
}

export function accountTrouble(t: Dictionary, cause: unknown): string {
  const words = t.people.accounts.problem;
  const field = fieldOf(cause);
  if (!(cause instanceof Problem)) return problemText(t, cause);
  if (cause.code === 'last_admin') return words.lastAdmin;
  if (field === 'name') return cause.code === 'taken' ? words.nameTaken : words.name;
  if (field === 'email') return cause.code === 'taken' ? words.emailTaken : words.email;
  return problemText(t, cause);
}
