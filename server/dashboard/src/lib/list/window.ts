// Owns which rows of a long list are drawn: those in sight and a few around them. All rows have one height. Pure.

export interface Window {
  from: number;
  /** The first that is not drawn any more. */
  to: number;
}

/** Rows beyond the edge that are drawn all the same, so that a quick thumb meets no blank. */
const SPARE = 6;

/** `top` is how far the list's beginning lies above that of the sight (negative while it is below). */
export function windowOf(top: number, sight: number, rows: number, height: number): Window {
  const first = Math.floor(top / height) - SPARE;
  const last = Math.ceil((top + sight) / height) + SPARE;
  const most = Math.ceil(sight / height) + 2 * SPARE + 1;
  const to = Math.min(rows, Math.max(last, Math.min(rows, most)));
  return { from: Math.max(0, Math.min(first, to - 1)), to };
}

/** The row that a key leads to, or null for a key that leads nowhere. */
export function stepped(key: string, at: number, rows: number, across: number, page: number): number | null {
  const to = {
    ArrowDown: at + across,
    ArrowUp: at - across,
    ArrowRight: across > 1 ? at + 1 : null,
    ArrowLeft: across > 1 ? at - 1 : null,
    PageDown: at + page * across,
    PageUp: at - page * across,
    Home: 0,
    End: rows - 1,
  }[key];
  if (to === null || to === undefined) return null;
  const bounded = Math.min(rows - 1, Math.max(0, to));
  return bounded === at ? null : bounded;
}
