// Owns which devices need a person, why, and in which order: critical alerts, failing probes, the longest silent, what is
// near a limit. Pure.
import type { Judged } from '$lib/state/roster.svelte';

/** Why a device needs somebody; the first that holds is its place in the order. */
export type Need =
  'critical' | 'quarantined' | 'fault' | 'trouble' | 'offline' | 'warning' | 'stale' | 'near';
const ORDER: readonly Need[] = [
  'critical',
  'quarantined',
  'fault',
  'trouble',
  'offline',
  'warning',
  'stale',
  'near',
];

/** How close a value is to a limit that it has not passed. */
export interface Near {
  metric: string;
  value: number;
  limit: number;
  side: 'low' | 'high';
  /** What is left of the way to it: 0 at the limit, 1 where it counts as near no more. */
  left: number;
}

export interface Worst {
  readonly judged: Judged;
  readonly needs: readonly Need[];
  readonly near: Near | null;
}

export function needsOf(judged: Judged, near: Near | null = null): Need[] {
  const { state, device, faults, stale, alert } = judged;
  // What was decommissioned is history, and what never came is no news.
  if (state === 'revoked') return [];
  const holds: Record<Need, boolean> = {
    critical: alert === 'critical',
    quarantined: state === 'quarantined',
    // The last word of a device that is gone may be old: that it is gone says more.
    fault: faults.length > 0 && state === 'online',
    trouble: Boolean(device.buffer?.trouble) || (device.alarm !== null && device.alarm !== 'ok'),
    offline: state === 'offline',
    warning: alert === 'warning',
    stale: stale.length > 0,
    near: near !== null && state === 'online',
  };
  return ORDER.filter((need) => holds[need]);
}

/** Sort key of "problems first": lower is more urgent. Within one need the longest silent come first. */
export function attention(judged: Judged): number {
  const [first] = needsOf(judged);
  if (first) return ORDER.indexOf(first) + share(judged.device.last_seen ?? 0);
  return ORDER.length + { online: 0, offline: 0, quarantined: 0, never: 1, revoked: 2 }[judged.state];
}

/** Any instant as a part of one, the earlier the smaller: seconds are enough. */
const share = (time: number): number => Math.floor(time / 1_000) / 1e11;

export function worstFirst(all: readonly Judged[], nearOf: (judged: Judged) => Near | null): Worst[] {
  const found: (Worst & { key: number })[] = [];
  for (const judged of all) {
    const near = nearOf(judged);
    const needs = needsOf(judged, near);
    const [first] = needs;
    if (!first) continue;
    const within = first === 'near' ? (near?.left ?? 0) : share(judged.device.last_seen ?? 0);
    found.push({ judged, needs, near, key: ORDER.indexOf(first) + within * 0.999 });
  }
  return found.sort((a, b) => a.key - b.key);
}
