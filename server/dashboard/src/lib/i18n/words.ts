// Owns how words of the wire become words of the screen. A word that this version does not know is
// shown as "other", so that nothing looks better than its sender said.
import { Problem } from '$lib/api/problem';
import type { Dictionary } from './dictionary';

export interface Explained {
  short: string;
  hint: string;
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

/** What went wrong, as a sentence with a next step. */
export function problemText(t: Dictionary, cause: unknown): string {
  if (!(cause instanceof Problem)) return t.problem.server;
  if (cause.unreachable) return t.problem.unreachable;
  if (cause.status === 403) return t.problem.forbidden;
  if (cause.status === 404) return t.problem.notFound;
  if (cause.status === 429) return t.signIn.slow;
  return cause.status >= 500 ? t.problem.server : t.problem.invalid(cause.detail);
}
