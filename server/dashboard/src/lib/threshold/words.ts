// Owns how thresholds are told in short: what is watched, and where it holds.
import type { Severity, Target, Threshold } from '$lib/api/alert-types';
import { formatShortest } from '$lib/format/number';
import { formatDuration } from '$lib/format/time';
import type { Dictionary } from '$lib/i18n/dictionary';
import { doubtText } from '$lib/i18n/words';
import type { Wrong } from './form';

export function placeWords(t: Dictionary, { scope, target }: Target): string {
  return scope === 'fleet' ? t.thresholds.all : target;
}

/** What is wrong with a field that says `typed`. */
export function wrongText(t: Dictionary, locale: string, wrong: Wrong, typed: string): string {
  const { problem } = t.thresholds.form;
  return wrong === 'ambiguous' ? (doubtText(t, locale, typed) ?? problem.number) : problem[wrong];
}

export interface Said {
  severity: Severity;
  text: string;
}

/** One line for each severity that has limits, and one for whatever else is watched. */
export function summarise(t: Dictionary, threshold: Threshold, unit: string, locale: string): Said[] {
  const words = t.thresholds.summary;
  const tail = unit && unit !== 'pH' ? ` ${unit}` : '';
  const number = (value: number): string => formatShortest(value, locale);
  const found: Said[] = [];
  for (const severity of ['warning', 'critical'] as const) {
    const [low, high] = [threshold.low?.[severity] ?? null, threshold.high?.[severity] ?? null];
    if (low !== null && high !== null)
      found.push({ severity, text: words.within(number(low), number(high)) + tail });
    else if (low !== null) found.push({ severity, text: words.below(number(low)) + tail });
    else if (high !== null) found.push({ severity, text: words.above(number(high)) + tail });
  }
  const lasting = (ms: number): string => formatDuration(ms, locale);
  const { rate, missing, fault } = threshold;
  if (rate)
    found.push({
      severity: rate.severity ?? 'warning',
      text: words.rate(number(rate.change) + tail, lasting(rate.within_ms)),
    });
  if (missing)
    found.push({ severity: missing.severity ?? 'warning', text: words.missing(lasting(missing.after_ms)) });
  if (fault)
    found.push({ severity: fault.severity ?? 'warning', text: words.fault(lasting(fault.after_ms)) });
  return found;
}

/** The limits that a chart can draw. */
export function linesOf(threshold: Threshold | null | undefined): { value: number; severity: Severity }[] {
  if (!threshold) return [];
  return (['warning', 'critical'] as const).flatMap((severity) =>
    [threshold.low?.[severity], threshold.high?.[severity]].flatMap((value) =>
      value === null || value === undefined ? [] : [{ value, severity }],
    ),
  );
}

/** The words of the fields that a probe can't see; a field of a newer server keeps its name. */
export function beyondWords(t: Dictionary, fields: readonly string[]): string {
  const form = t.thresholds.form;
  const known: Readonly<Record<string, string>> = {
    'low.critical': form.low.critical,
    'low.warning': form.low.warning,
    'high.warning': form.high.warning,
    'high.critical': form.high.critical,
  };
  return fields.map((field) => known[field] ?? field).join(', ');
}
