// Owns the rules of sampling intervals: bounds, presets, and how a form's choice becomes milliseconds.
import { parseNumber } from '$lib/format/number';

export const SHORTEST_MS = 100;
export const LONGEST_MS = 86_400_000;
export const PRESETS_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000] as const;

/** A choice of the form: the device's own interval, milliseconds, or seconds that are being typed. */
export type Choice = { is: 'own' } | { is: 'ms'; ms: number } | { is: 'typed'; text: string };

export function choiceOf(ms: number | undefined): Choice {
  return ms === undefined ? { is: 'own' } : { is: 'ms', ms };
}

/** The milliseconds of a choice; undefined for the device's own, null for what can't be taken. */
export function msOf(choice: Choice, locale: string): number | undefined | null {
  if (choice.is === 'own') return undefined;
  const ms = choice.is === 'ms' ? choice.ms : typedMs(choice.text, locale);
  return ms !== null && ms >= SHORTEST_MS && ms <= LONGEST_MS ? ms : null;
}

function typedMs(text: string, locale: string): number | null {
  const seconds = parseNumber(text, locale);
  return seconds === null ? null : Math.round(seconds * 1_000);
}

/** The presets, and the present interval where it is none of them. */
export function offered(present: number | undefined): number[] {
  const all = new Set<number>(PRESETS_MS);
  if (present !== undefined) all.add(present);
  return [...all].sort((a, b) => a - b);
}

/** All intervals after the changes; null while one of them can't be taken. */
export function changed(
  present: Readonly<Record<string, number>>,
  drafts: Readonly<Record<string, Choice>>,
  locale: string,
): Record<string, number> | null {
  const result = { ...present };
  for (const [metric, choice] of Object.entries(drafts)) {
    const ms = msOf(choice, locale);
    if (ms === null) return null;
    if (ms === undefined) delete result[metric];
    else result[metric] = ms;
  }
  return result;
}

export function same(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => a[key] === b[key]);
}
