// Owns what is wrong with a new password: as far as it can be told before asking, and what the server said. Pure.
import { Problem } from '$lib/api/problem';
import type { Dictionary } from '$lib/i18n/dictionary';
import { problemText } from '$lib/i18n/words';

export const SHORTEST = 12;

export type Field = 'old' | 'new';
/** Kept as a cause, not as text, so that a change of language translates it too. */
export type Cause = 'oldMissing' | 'short' | 'same' | Problem;

/** Characters as the server counts them: one that takes two places in a string is one. */
export const lengthOf = (password: string): number => [...password].length;

export function missing(old: string, chosen: string): Cause | null {
  if (!old) return 'oldMissing';
  if (lengthOf(chosen) < SHORTEST) return 'short';
  return old === chosen ? 'same' : null;
}

/** The field at fault; null if it is none of them. */
export function fieldOf(cause: Cause): Field | null {
  if (cause === 'oldMissing') return 'old';
  if (!(cause instanceof Problem)) return 'new';
  return cause.field === 'old' || cause.field === 'new' ? cause.field : null;
}

export function troubleWords(t: Dictionary, cause: unknown, count: string): string {
  const words = t.password.problem;
  if (cause === 'short') return words.short(count);
  if (cause === 'oldMissing' || cause === 'same') return words[cause];
  if (cause instanceof Problem && cause.field === 'old') return words.oldWrong;
  if (cause instanceof Problem && cause.field === 'new') return words.unfit;
  return problemText(t, cause);
}
