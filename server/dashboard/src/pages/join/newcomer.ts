// Owns what is wrong with the name and the password of somebody who comes, as far as it can be told before asking, and what
// the server said. Pure.
import { Problem } from '$lib/api/problem';
import type { Dictionary } from '$lib/i18n/dictionary';
import { problemText } from '$lib/i18n/words';
import { validName } from '../users/account';
import { lengthOf, SHORTEST } from '../password/trouble';

export type Field = 'name' | 'password' | 'email' | 'display_name';
/** Kept as a cause, not as text, so that a change of language translates it too. */
export type Cause = 'name' | 'short' | 'nobody' | Problem;

export function missing(name: string, password: string): Cause | null {
  if (!validName(name)) return 'name';
  return lengthOf(password) < SHORTEST ? 'short' : null;
}

const FIELDS: readonly Field[] = ['name', 'password', 'email', 'display_name'];

/** The field at fault; null if it is none of them. */
export function fieldOf(cause: Cause | null): Field | null {
  if (cause === 'name') return 'name';
  if (cause === 'short') return 'password';
  if (cause === 'nobody') return 'display_name';
  return FIELDS.find((field) => field === cause?.field) ?? null;
}

export function words(t: Dictionary, cause: Cause, count: string): string {
  const { join, signUp } = t.newcomers;
  if (cause === 'short') return t.password.problem.short(count);
  if (cause === 'nobody') return signUp.nameMissing;
  if (cause === 'name') return t.people.accounts.problem.name;
  if (cause.field === 'name') return cause.code === 'taken' ? join.nameTaken : t.people.accounts.problem.name;
  if (cause.field === 'password') return join.unfit;
  if (cause.field === 'email') return t.people.accounts.problem.email;
  if (cause.field === 'display_name') return t.profile.person.tooLong;
  return cause.code === 'too_many_waiting' ? signUp.tooMany : problemText(t, cause);
}

type Ended = keyof Dictionary['newcomers']['join']['ended'];

/** Why an invitation is none any more; null if something else went wrong. */
export function endedBy(t: Dictionary, cause: unknown): Ended | null {
  if (!(cause instanceof Problem)) return null;
  return Object.hasOwn(t.newcomers.join.ended, cause.code) ? (cause.code as Ended) : null;
}

/** A user name that somebody who is called so may want: "Pak Tono" may be pak-tono. */
export function suggested(called: string | null): string {
  const plain = (called ?? '').normalize('NFD').toLowerCase();
  const name = plain
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '');
  const short = name.slice(0, 32).replace(/-+$/, '');
  return validName(short) ? short : '';
}
