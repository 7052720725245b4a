// Owns what follows from a device's view of a calibration: which screen is shown, what is still missing,
// which numbers can be trusted. Pure.
import type { CalibrationView, Series } from '$lib/api/types';
import type { Kind } from '$lib/calibration/kinds';

/** Views come about once a second: after this, what is on the screen is old. */
export const SILENT_MS = 5_000;
/** After this, the session is probably over; one that was never heard of even sooner. */
const LOST_MS = { heard: 30_000, never: 10_000 };

export function isLost(view: CalibrationView | null, silentFor: number): boolean {
  return silentFor >= (view ? LOST_MS.heard : LOST_MS.never);
}

export type Screen = 'setup' | 'measure' | 'result' | 'done' | 'ended';

interface Known {
  session: string | null;
  /** The record, once the device has made it. */
  record: string | null;
  view: CalibrationView | null;
  replaced: boolean;
  /** Whether the person wants to see the result. */
  reviewing: boolean;
}

/** One thing at a time. */
export function screenOf({ session, record, view, replaced, reviewing }: Known, kind: Kind): Screen {
  if (record) return 'done';
  if (!session) return 'setup';
  if (view?.step.is === 'ended' || (replaced && view?.step.is !== 'finished')) return 'ended';
  return reviewing && view && hasResult(view, kind) ? 'result' : 'measure';
}

export function isOver({ step }: CalibrationView): boolean {
  return step.is === 'ended' || step.is === 'finished';
}

/** How many points are missing until there can be a result. */
export function missing(view: CalibrationView, kind: Kind): number {
  return Math.max(0, kind.least - view.points.length);
}

/** Whether the points say something: a calibration, or why they are none. */
export function hasResult(view: CalibrationView, kind: Kind): boolean {
  return view.step.is !== 'settling' && (view.fit !== undefined || missing(view, kind) === 0);
}

/** The problem, unless it only says that there are too few points yet, which the screen says already. */
export function problemOf(view: CalibrationView, kind: Kind): CalibrationView['problem'] {
  const isExpected = view.problem?.code === 'points' && view.points.length < kind.least;
  return isExpected ? undefined : view.problem;
}

/** Two labels have two decimals: closer than this they are the same. */
export function isTaken(view: CalibrationView, nominal: number): boolean {
  return view.points.some((point) => Math.abs(point.nominal - nominal) < 0.005);
}

export type Signal = 'none' | 'settling' | 'settled' | 'silent';

/** What can be said of the signal now, in one word. */
export function signalOf(view: CalibrationView | null, silentFor: number): Signal {
  if (silentFor >= SILENT_MS) return 'silent';
  if (!view?.live) return 'none';
  return view.live.settled ? 'settled' : 'settling';
}

/** How much of the signal the trace shows. */
export const TRACE_MS = 60_000;

/** A trace is a series of millivolts, so that it is drawn like any other. */
export const EMPTY_TRACE: Series = {
  device: '',
  metric: 'ph',
  unit: 'pH',
  bucket_ms: 1_000,
  time: [],
  min: [],
  avg: [],
  max: [],
  count: [],
  faults: [],
};

/** The trace with one more value, and without what is too old to be shown. */
export function traced(trace: Series, millivolts: number, at: number): Series {
  const from = trace.time.findIndex((time) => time > at - TRACE_MS);
  const keep = <T>(column: readonly T[], value: T): T[] => [...(from < 0 ? [] : column.slice(from)), value];
  return {
    ...trace,
    time: keep(trace.time, at),
    min: keep(trace.min, millivolts),
    avg: keep(trace.avg, millivolts),
    max: keep(trace.max, millivolts),
    count: keep(trace.count, 1),
    faults: keep(trace.faults, 0),
  };
}
