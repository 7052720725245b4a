// Owns how words of the wire become words of the screen. A word that this version does not know is
// shown as "other", so that nothing looks better than its sender said.
import type { CalibrationProblem } from '$lib/api/types';
import { Problem } from '$lib/api/problem';
import { formatShortest, formatTyped, readings } from '$lib/format/number';
import type { Dictionary } from './dictionary';

export interface Explained {
  short: string;
  hint: string;
}

/** Asks which of two numbers somebody meant who typed "1.500"; null when there is no doubt. */
export function doubtText(t: Dictionary, locale: string, text: string): string | null {
  const may = readings(text, locale);
  return may && t.common.doubt(formatTyped(may.whole, locale), formatTyped(may.part, locale));
}

export function metricName(t: Dictionary, metric: string): string {
  return metric in t.metric ? t.metric[metric as keyof Dictionary['metric']] : metric;
}

export function faultWords(t: Dictionary, fault: string): Explained {
  return fault in t.fault ? t.fault[fault as keyof Dictionary['fault']] : t.fault.other;
}

type FlagName = Exclude<keyof Dictionary['flag'], 'title' | 'show'>;

export function flagWords(t: Dictionary, flag: string): Explained {
  const known = flag in t.flag && flag !== 'title' && flag !== 'show';
  return known ? t.flag[flag as FlagName] : t.flag.other;
}

/** Why a device can't keep its readings; an unknown word is shown as it is. */
export function troubleText(t: Dictionary, word: string): string {
  const known = t.device.trouble;
  return word in known ? known[word as keyof typeof known] : t.device.troubleOther(word);
}

/** Why a device can't give its alarm; empty if it can. */
export function alarmText(t: Dictionary, word: string): string {
  if (word === 'ok') return '';
  const known = t.device.alarm;
  return word in known ? known[word as keyof typeof known] : t.device.alarmOther(word);
}

/** What the device objects to, with the numbers of its English text; a code of a newer agent keeps that text. */
export function calibrationProblem(
  t: Dictionary,
  { code, text }: CalibrationProblem,
  locale: string,
): string {
  const known = t.calibration.problem;
  if (!(code in known)) return text;
  const words = known[code as keyof typeof known] as string | ((...numbers: string[]) => string);
  if (typeof words === 'string') return words;
  const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) =>
    formatShortest(Number(number), locale),
  );
  return numbers.length < words.length ? text : words(...numbers);
}

/** Problems that need other words than their status has. */
const BY_CODE: Readonly<Record<string, 'offline' | 'revoked' | 'notInForce' | 'unknownLabel'>> = {
  offline: 'offline',
  revoked: 'revoked',
  not_in_force: 'notInForce',
  unknown_label: 'unknownLabel',
};

/** What went wrong, as a sentence with a next step. */
export function problemText(t: Dictionary, cause: unknown): string {
  if (!(cause instanceof Problem)) return t.problem.server;
  if (cause.unreachable) return t.problem.unreachable;
  const known = BY_CODE[cause.code];
  if (known) return t.problem[known];
  if (cause.code === 'taken') return t.problem.taken(cause.detail);
  if (cause.status === 403) return t.problem.forbidden;
  if (cause.status === 404) return t.problem.notFound;
  if (cause.status === 429) return t.signIn.slow;
  return cause.status >= 500 ? t.problem.server : t.problem.invalid(cause.detail);
}
