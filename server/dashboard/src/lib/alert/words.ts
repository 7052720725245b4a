// Owns how the wire's words about alerts become words of the screen. What this version does not know is shown as it came.
import type { Alert, Text } from '$lib/api/alert-types';
import type { Dictionary } from '$lib/i18n/dictionary';
import type { Language } from '$lib/i18n/index.svelte';
import type { IconName } from '$lib/ui/icons';

type Words = Readonly<Record<string, string>>;
const known = (words: Words, word: string): string =>
  Object.hasOwn(words, word) ? (words[word] ?? word) : word;

export const kindWords = (t: Dictionary, kind: string): string => known(t.alerts.kind, kind);
export const sourceWords = (t: Dictionary, source: string): string => known(t.alerts.source, source);
export const eventWords = (t: Dictionary, what: string): string => known(t.alerts.event, what);
export const whoWords = (t: Dictionary, who: string): string => known(t.alerts.who, who);
export const causeWords = (t: Dictionary, cause: string): string => known(t.outages.cause, cause);
export const causeHint = (t: Dictionary, cause: string): string =>
  Object.hasOwn(t.outages.causeHint, cause) ? known(t.outages.causeHint, cause) : '';

export function withheldWords(t: Dictionary, word: string): string {
  const { withheld, withheldOther } = t.alerts.delivery;
  return Object.hasOwn(withheld, word) ? known(withheld, word) : withheldOther(word);
}

/** The server says it, in both languages. */
export const textOf = ({ text }: { text: Text }, language: Language): string => text[language];

const KIND_ICONS: Readonly<Record<string, IconName>> = {
  low: 'limits',
  high: 'limits',
  rate: 'pulse',
  missing: 'dashed',
  fault: 'plug',
  external: 'link',
};

export const kindIcon = ({ kind }: Pick<Alert, 'kind'>): IconName => KIND_ICONS[kind] ?? 'cut';

const CAUSE_ICONS: Readonly<Record<string, IconName>> = {
  power: 'bolt',
  network: 'cut',
  stopped: 'leave',
  agent: 'chip',
  server: 'fleet',
};

export const causeIcon = (cause: string): IconName => CAUSE_ICONS[cause] ?? 'info';
