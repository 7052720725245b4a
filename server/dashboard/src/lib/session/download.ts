// Owns links to files of the server. A browser fetches them by itself, past `call`: so the session is looked at first, which
// changes an access token that has expired.
import { api } from '$lib/api/client';
import { session } from '$lib/state/session.svelte';

/** For a link with `download`: `onclick={download}`. */
export async function download(event: MouseEvent): Promise<void> {
  const link = event.currentTarget as HTMLAnchorElement;
  if (link.dataset.fresh === 'yes') return;
  event.preventDefault();
  try {
    await api.session();
  } catch (cause) {
    if (session.ended(cause)) return;
    // The browser tells what it can't reach.
  }
  link.dataset.fresh = 'yes';
  link.click();
  delete link.dataset.fresh;
}
