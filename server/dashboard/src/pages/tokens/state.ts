// Owns the judgement whether a token still lets anybody in.
import type { Token } from '$lib/api/types';

export type TokenState = 'usable' | 'usedUp' | 'expired' | 'revoked';

type Judged = Pick<Token, 'revoked_at' | 'expires_at' | 'uses_left'>;

/** What was done on purpose is said first. */
export function tokenState(token: Judged, now: number): TokenState {
  if (token.revoked_at !== null) return 'revoked';
  if (token.uses_left === 0) return 'usedUp';
  return token.expires_at <= now ? 'expired' : 'usable';
}

/** Those that work before the others, and the newest first. */
export function inOrder<T extends Judged & { created_at: number }>(tokens: readonly T[], now: number): T[] {
  const rank = (token: T): number => Number(tokenState(token, now) !== 'usable');
  return tokens.toSorted((a, b) => rank(a) - rank(b) || b.created_at - a.created_at);
}
