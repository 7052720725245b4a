// Owns the unit of a metric as the devices give it; none while nobody has measured it.
import { fleet } from '$lib/state/fleet.svelte';

export function unitOf(metric: string): string {
  for (const { latest } of fleet.entries.values()) {
    const unit = latest[metric]?.unit;
    if (unit) return unit;
  }
  return '';
}
