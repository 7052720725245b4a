// Owns the order of presets: one's own first, then the others as they come. Pure.
import type { Preset } from '$lib/api/alert-types';

export const OWN = 'own';

export interface PresetGroup {
  group: string;
  presets: Preset[];
}

/** One's own are a group even where there is none: it says how to make one. */
export function byGroup(presets: readonly Preset[]): PresetGroup[] {
  const names = [OWN, ...new Set(presets.map(({ group }) => group).filter((group) => group !== OWN))];
  return names.map((group) => ({ group, presets: presets.filter((each) => each.group === group) }));
}
