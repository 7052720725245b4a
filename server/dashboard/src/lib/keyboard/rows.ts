// Owns the way of j and k through the rows of a list that is drawn as a whole. Knows nothing of what they show.

/** Moves the focus to the link of the row after or before; to the first row if it is elsewhere. */
export function step(rows: string, by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>(rows)];
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const to = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by));
  all[to]?.querySelector('a')?.focus();
}

/** The row that has the focus. */
export const present = (rows: string): Element | null => document.activeElement?.closest(rows) ?? null;
