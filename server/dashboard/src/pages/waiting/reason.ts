// Owns how the reason why a board waits becomes words and a mark. A word of a newer server is "another reason".
import type { Dictionary } from '$lib/i18n/dictionary';
import type { Explained } from '$lib/i18n/words';
import type { IconName } from '$lib/ui/icons';

type Reasons = Dictionary['identity']['waiting']['reasons'];

const ICONS: Record<keyof Reasons, IconName> = {
  not_expected: 'search',
  second_key: 'key',
  shared_key: 'twins',
  other: 'info',
};

function known(reason: string): keyof Reasons {
  return Object.hasOwn(ICONS, reason) ? (reason as keyof Reasons) : 'other';
}

export function reasonWords(t: Dictionary, reason: string): Explained {
  return t.identity.waiting.reasons[known(reason)];
}

export function reasonIcon(reason: string): IconName {
  return ICONS[known(reason)];
}

/** Whether it is a board that is known, with another key: it can only be what it was. */
export function comesBack(waiting: { reason: string; device: string | null }): string | null {
  return waiting.reason === 'second_key' || waiting.reason === 'shared_key' ? waiting.device : null;
}
