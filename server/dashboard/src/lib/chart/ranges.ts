// Owns the time ranges that a chart can show.

export const RANGES = ['m15', 'h1', 'h24', 'd7', 'd30'] as const;
export type Range = (typeof RANGES)[number];

export const RANGE_MS: Record<Range, number> = {
  m15: 900_000,
  h1: 3_600_000,
  h24: 86_400_000,
  d7: 7 * 86_400_000,
  d30: 30 * 86_400_000,
};

/** Two minutes: less of a scale would run as fast as a heart monitor. */
const YOUNGEST_MS = 120_000;

/** What to show of a device unasked: the shortest range in which its last reading still lies well inside. */
export function fittingRange(lastSeen: number | null, now: number): Range {
  const age = lastSeen === null ? 0 : now - lastSeen;
  return RANGES.find((range) => RANGE_MS[range] > age * 1.5) ?? 'd30';
}

/** The window slides in steps that can be seen: about one pixel of a wide chart. */
export function windowAt(range: Range, now: number): { from: number; to: number } {
  const step = Math.max(1_000, RANGE_MS[range] / 800);
  const to = Math.ceil(now / step) * step;
  return { from: to - RANGE_MS[range], to };
}

/** A device that is younger than the range fills the chart with its life, instead of a speck at the right edge. */
export function lifeWithin(
  view: { from: number; to: number },
  enrolledAt: number,
  firstReading: number,
): { from: number; to: number } {
  if (enrolledAt < view.from || firstReading < view.from) return view;
  return {
    from: Math.max(view.from, Math.min(enrolledAt, firstReading, view.to - YOUNGEST_MS)),
    to: view.to,
  };
}
