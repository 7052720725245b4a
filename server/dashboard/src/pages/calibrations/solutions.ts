// Owns the words for what a record was made with.
import type { CalibrationRecord } from '$lib/api/types';
import type { Dictionary } from '$lib/i18n/dictionary';

/** Buffers and lot; empty where neither was noted. */
export function solutionsOf(t: Dictionary, { buffers, lot }: CalibrationRecord): string[] {
  const words = t.calibration.history;
  return [...(buffers ? [words[buffers]] : []), ...(lot ? [words.lot(lot)] : [])];
}
