// Owns the judgement on a pH electrode from its last calibration.
import type { ProbeHealth } from '$lib/api/types';

export type Verdict = 'good' | 'worn';

/** Below this slope an electrode is to be replaced; below 85 % the device refuses it. */
export const WORN_SLOPE_PERCENT = 90;
/** New ones are within 15 mV, beyond 30 mV the device refuses them: from here on there is time to order another. */
export const WORN_OFFSET_MV = 20;

export function judge({ slope_percent, offset_mv }: ProbeHealth): Verdict {
  return slope_percent >= WORN_SLOPE_PERCENT && Math.abs(offset_mv) <= WORN_OFFSET_MV ? 'good' : 'worn';
}
