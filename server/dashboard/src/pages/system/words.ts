// Owns how what is wrong with the server is told; a trouble of a newer server keeps its own word. Pure.
import type { AdminDictionary } from '$lib/i18n/admin.en';
import type { Explained } from '$lib/i18n/words';

export function troubleWords(t: AdminDictionary, trouble: string): Explained {
  const { troubles } = t.system;
  return Object.hasOwn(troubles, trouble)
    ? troubles[trouble as keyof typeof troubles]
    : { short: trouble, hint: t.system.otherTrouble };
}

/** How much of a back-up is written, in whole percent; all of it only when it is read back. */
export const percent = ({ written, of }: { written: number; of: number }): number =>
  of > 0 ? Math.min(99, Math.round((100 * written) / of)) : 0;
