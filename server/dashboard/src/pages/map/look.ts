// Owns how a device looks on the map: one word for all that is known of its state, the worst first, and the shape that tells
// it without its colour. Pure.
import { needsOf } from '$lib/fleet/worst';
import type { Judged } from '$lib/state/roster.svelte';

/** The worst first: of several at one place the first is what they look like together. */
export const LOOKS = ['critical', 'offline', 'warning', 'online', 'unknown'] as const;
export type Look = (typeof LOOKS)[number];

/** Null: it was decommissioned, and is on no map. */
export function lookOf(judged: Judged): Look | null {
  const { state } = judged;
  if (state === 'revoked') return null;
  const needs = needsOf(judged);
  if (needs[0] === 'critical') return 'critical';
  // What a device that is gone said last may be old: that it is gone says more.
  if (state === 'offline' || state === 'quarantined') return 'offline';
  if (needs.length > 0) return 'warning';
  return state === 'never' ? 'unknown' : 'online';
}

/** On a grid of 24 units: the body, filled or not, and the sign within. */
export interface Shape {
  body: string;
  sign: string;
  hollow: boolean;
}

export const SHAPES: Record<Look, Shape> = {
  critical: { body: 'M8 1.5h8l6.5 6.5v8l-6.5 6.5h-8L1.5 16V8z', sign: 'M12 6.5v7M12 17v.2', hollow: false },
  offline: { body: 'M3 3h18v18H3z', sign: 'M7.5 7.5l9 9M16.5 7.5l-9 9', hollow: true },
  warning: { body: 'M12 2l11 19.5H1z', sign: 'M12 9v6M12 18v.2', hollow: false },
  online: {
    body: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z',
    sign: 'M7.5 12.3l3.2 3.2 5.8-6.4',
    hollow: false,
  },
  unknown: {
    body: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z',
    sign: 'M9.3 9.4a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2 1-1.2 1.8M12 17v.2',
    hollow: true,
  },
};
