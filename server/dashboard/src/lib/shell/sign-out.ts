// Owns the act of signing out, which every way out shares.
import { i18n } from '$lib/i18n/index.svelte';
import { problemText } from '$lib/i18n/words';
import { paths } from '$lib/state/route';
import { router } from '$lib/state/router.svelte';
import { session } from '$lib/state/session.svelte';
import { toasts } from '$lib/state/toasts.svelte';

export async function signOut(): Promise<void> {
  try {
    await session.signOut();
    router.go(paths.overview); // whoever signs in next starts at the front
  } catch (cause) {
    if (!session.ended(cause)) toasts.show({ text: problemText(i18n.t, cause), tone: 'bad' });
  }
}
