// Owns how a threshold becomes the fields of a form and back, and what is wrong with them. The rules are the server's
// (shared/src/rule/threshold.rs), under the same names of fields: it has the last word, this one the quicker.
import type { Severity, Threshold } from '$lib/api/alert-types';
import { formatTyped, parseNumber, parseSigned, readings } from '$lib/format/number';

export const UNITS = ['s', 'min', 'h', 'd'] as const;
export type Unit = (typeof UNITS)[number];
const UNIT_MS: Record<Unit, number> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY_MS = UNIT_MS.d;

export interface Span {
  text: string;
  unit: Unit;
}
interface Optional {
  on: boolean;
  severity: Severity;
}
export interface Draft {
  low: Record<Severity, string>;
  high: Record<Severity, string>;
  hysteresis: string;
  hold: Span;
  clear: Span;
  rate: Optional & { change: string; within: Span };
  missing: Optional & { after: Span };
  fault: Optional & { after: Span };
}

export type Field =
  | 'low.critical'
  | 'low.warning'
  | 'high.warning'
  | 'high.critical'
  | 'hysteresis'
  | 'hold_ms'
  | 'clear_ms'
  | 'rate.change'
  | 'rate.within_ms'
  | 'missing.after_ms'
  | 'fault.after_ms'
  | 'threshold';
export type Wrong =
  | 'number'
  | 'ambiguous'
  | 'order'
  | 'hysteresis'
  | 'duration'
  | 'negative'
  | 'day'
  | 'change'
  | 'within'
  | 'missing'
  | 'empty';
export type Problems = Partial<Record<Field, Wrong>>;

/** In the largest unit that needs no fraction. */
export function spanOf(ms: number, locale: string): Span {
  const unit = ms === 0 ? 's' : (UNITS.toReversed().find((each) => ms % UNIT_MS[each] === 0) ?? 's');
  return { text: formatTyped(ms / UNIT_MS[unit], locale), unit };
}

export function msOf({ text, unit }: Span, locale: string): number | null {
  const number = parseNumber(text, locale);
  return number === null ? null : Math.round(number * UNIT_MS[unit]);
}

/** A minute of patience on both sides, where nothing is known yet. */
const USUAL: Threshold = { hold_ms: 60_000, clear_ms: 60_000 };

export function draftOf(threshold: Threshold | null, locale: string): Draft {
  const { low, high, hysteresis, hold_ms, clear_ms, rate, missing, fault } = threshold ?? USUAL;
  const number = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : formatTyped(value, locale);
  const severity = (part: { severity?: Severity } | null | undefined): Severity =>
    part?.severity ?? 'warning';
  return {
    low: { warning: number(low?.warning), critical: number(low?.critical) },
    high: { warning: number(high?.warning), critical: number(high?.critical) },
    hysteresis: number(hysteresis),
    hold: spanOf(hold_ms ?? 0, locale),
    clear: spanOf(clear_ms ?? 0, locale),
    rate: {
      on: Boolean(rate),
      change: number(rate?.change),
      within: spanOf(rate?.within_ms ?? 600_000, locale),
      severity: severity(rate),
    },
    missing: {
      on: Boolean(missing),
      after: spanOf(missing?.after_ms ?? 300_000, locale),
      severity: severity(missing),
    },
    fault: {
      on: Boolean(fault),
      after: spanOf(fault?.after_ms ?? 60_000, locale),
      severity: severity(fault),
    },
  };
}

/** What the form asks for; null while something is wrong with it. */
export function readDraft(draft: Draft, locale: string): { threshold: Threshold | null; problems: Problems } {
  const problems: Problems = {};
  const doubted = (text: string, wrong: Wrong): Wrong => (readings(text, locale) ? 'ambiguous' : wrong);
  const number = (field: Field, text: string): number | undefined => {
    if (text.trim() === '') return undefined;
    const value = parseSigned(text, locale);
    if (value === null) problems[field] = doubted(text, 'number');
    return value ?? undefined;
  };
  const side = (name: 'low' | 'high'): Record<Severity, number | undefined> => ({
    warning: number(`${name}.warning`, draft[name].warning),
    critical: number(`${name}.critical`, draft[name].critical),
  });
  const [low, high] = [side('low'), side('high')];
  rising(problems, low, high);

  const threshold: Threshold = {};
  if (low.warning !== undefined || low.critical !== undefined) threshold.low = present(low);
  if (high.warning !== undefined || high.critical !== undefined) threshold.high = present(high);
  const hysteresis = number('hysteresis', draft.hysteresis);
  if (hysteresis !== undefined) {
    const [floor, ceiling] = [low.warning ?? low.critical, high.warning ?? high.critical];
    const room = floor === undefined || ceiling === undefined ? Infinity : ceiling - floor;
    if (hysteresis < 0 || (room > 0 && 2 * hysteresis >= room)) problems.hysteresis ??= 'hysteresis';
    threshold.hysteresis = hysteresis;
  }
  const span = (field: Field, value: Span, least: number, most: number, wrong: Wrong): number => {
    const ms = msOf(value, locale);
    if (ms === null) problems[field] = doubted(value.text, 'duration');
    else if (ms < least || ms > most) problems[field] = wrong;
    return ms ?? 0;
  };
  threshold.hold_ms = span('hold_ms', draft.hold, 0, DAY_MS, 'day');
  threshold.clear_ms = span('clear_ms', draft.clear, 0, DAY_MS, 'day');
  const { rate, missing, fault } = draft;
  if (rate.on) {
    const change = parseSigned(rate.change, locale);
    if (change === null || change <= 0) problems['rate.change'] = doubted(rate.change, 'change');
    const within_ms = span('rate.within_ms', rate.within, 10_000, DAY_MS, 'within');
    threshold.rate = { change: change ?? 0, within_ms, severity: rate.severity };
  }
  if (missing.on) {
    const after_ms = span('missing.after_ms', missing.after, 30_000, 7 * DAY_MS, 'missing');
    threshold.missing = { after_ms, severity: missing.severity };
  }
  if (fault.on) {
    const after_ms = span('fault.after_ms', fault.after, 0, DAY_MS, 'day');
    threshold.fault = { after_ms, severity: fault.severity };
  }
  const asks = threshold.low || threshold.high || threshold.rate || threshold.missing || threshold.fault;
  if (!asks && Object.keys(problems).length === 0) problems.threshold = 'empty';
  return { threshold: Object.keys(problems).length === 0 ? threshold : null, problems };
}

type Limits = Record<Severity, number | undefined>;

function present({ warning, critical }: Limits) {
  return { ...(warning === undefined ? {} : { warning }), ...(critical === undefined ? {} : { critical }) };
}

/** Each limit lies above those before it. */
function rising(problems: Problems, low: Limits, high: Limits): void {
  let last = Number.NEGATIVE_INFINITY;
  for (const [field, limit] of [
    ['low.critical', low.critical],
    ['low.warning', low.warning],
    ['high.warning', high.warning],
    ['high.critical', high.critical],
  ] as const) {
    if (limit === undefined) continue;
    if (limit <= last) problems[field] ??= 'order';
    last = limit;
  }
}

/** Whether two ask for the same, whatever they leave out. */
export function sameThreshold(a: Threshold, b: Threshold): boolean {
  const plain = (threshold: Threshold): string =>
    JSON.stringify(readDraft(draftOf(threshold, 'en'), 'en').threshold);
  return plain(a) === plain(b);
}
