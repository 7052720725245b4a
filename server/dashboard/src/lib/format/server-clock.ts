// Owns the difference between this browser's clock and the server's. Ages are told by the server's:
// a phone whose clock is two minutes off must not call every reading stale.

let offset = 0;

/** Takes the Date header of an answer, which is exact to a second. */
export function noteServerDate(header: string | null, now: number = Date.now()): void {
  const date = header ? Date.parse(header) : Number.NaN;
  if (Number.isNaN(date)) return;
  const difference = date + 500 - now;
  offset = Math.abs(difference) > 2_000 ? difference : 0;
}

/** The present instant by the server's clock. */
export function serverNow(now: number = Date.now()): number {
  return now + offset;
}
