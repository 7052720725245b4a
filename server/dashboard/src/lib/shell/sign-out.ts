// Owns the act of signing out, which the side bar and the settings page share.
import { i18n } from '$lib/i18n/index.svelte';
import { problemText } from '$lib/i18n/words';
import { router } from '$lib/state/router.svelte';
import { session } from '$lib/state/session.svelte';
import { toasts } from '$lib/state/toasts.svelte';

export async function signOut(): Promise<void> {
  try {
    await session.signOut();
    router.go('/'); // whoever signs in next starts at the front
  } catch (cause) {
    if (!session.ended(cause)) toasts.show({ text: problemText(i18n.t, cause), tone: 'bad' });
  }
}
