// Owns which failure of one follower means that the whole application is not up to date. Pure.
import { Problem } from '$lib/api/problem';

/**
 * The server could not be reached, was at its end, or the session is. What it refuses for good, such as a device that is
 * gone, would be refused again: the page that asked shows it, and the rest is live all the same.
 */
export function failsRound(cause: unknown): boolean {
  if (!(cause instanceof Problem)) return true;
  return cause.unreachable || cause.signedOut || cause.status === 429 || cause.status >= 500;
}
