// Owns the judgement on silences, and on what a form says about a new one. Pure.
import type { NewSilence, Silence, Target } from '$lib/api/alert-types';
import { readInput } from '$lib/format/field';

export type SilenceState = 'now' | 'later' | 'over';

export function silenceState(silence: Pick<Silence, 'from' | 'to' | 'ended_at'>, now: number): SilenceState {
  if (silence.ended_at !== null || silence.to <= now) return 'over';
  return silence.from > now ? 'later' : 'now';
}

/** Those in force, then the planned ones, then what is over; each the newest first. */
export function silencesInOrder(silences: readonly Silence[], now: number): Silence[] {
  const rank = { now: 0, later: 1, over: 2 };
  return silences.toSorted(
    (a, b) => rank[silenceState(a, now)] - rank[silenceState(b, now)] || b.from - a.from,
  );
}

/** The order of another one for the rest of its time, where one was ended too early. */
export function again({ kind, scope, target, from, to, reason }: Silence, now: number): NewSilence {
  return { kind, scope, target, to, reason, ...(from > now ? { from } : {}) };
}

export interface SilenceDraft {
  kind: Silence['kind'];
  where: Target | null;
  from: string;
  to: string;
  reason: string;
}

export type Amiss = 'target' | 'order' | 'reason';

/** The order, or what is wrong with the draft. */
export function readSilence(draft: SilenceDraft, now: number): NewSilence | Amiss {
  if (!draft.where) return 'target';
  const [from, to] = [readInput(draft.from), readInput(draft.to)];
  if (!(to > from) || to <= now) return 'order';
  if (!draft.reason.trim()) return 'reason';
  return { kind: draft.kind, ...draft.where, from, to, reason: draft.reason.trim() };
}
