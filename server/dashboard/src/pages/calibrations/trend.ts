// Owns how the slope of an electrode went from calibration to calibration, as a drawing. Pure.
import type { CalibrationRecord } from '$lib/api/types';

export const TREND = { width: 600, height: 96, pad: 8 } as const;
/** The scale always shows what a good electrode has, and the line below which it is to be replaced. */
const LOW = 84;
const HIGH = 104;

export interface Dot {
  at: number;
  percent: number;
  x: number;
  y: number;
}

export const yOf = (percent: number): number => {
  const { height, pad } = TREND;
  const share = (Math.min(HIGH, Math.max(LOW, percent)) - LOW) / (HIGH - LOW);
  return Math.round((height - pad - share * (height - 2 * pad)) * 10) / 10;
};

/** Oldest first; what was taken back, and what took it back, are no calibrations of the electrode. */
export function slopesOf(records: readonly CalibrationRecord[]): Dot[] {
  const slopes = records
    .filter(({ health, undoes, undone_by }) => health !== null && !undoes && !undone_by)
    .map(({ at, health }) => ({ at, percent: health?.slope_percent ?? 0 }))
    .sort((a, b) => a.at - b.at);
  const first = slopes[0]?.at ?? 0;
  const span = Math.max(1, (slopes.at(-1)?.at ?? 0) - first);
  const { width, pad } = TREND;
  return slopes.map(({ at, percent }) => ({
    at,
    percent,
    x: Math.round((pad + ((at - first) / span) * (width - 2 * pad)) * 10) / 10,
    y: yOf(percent),
  }));
}
