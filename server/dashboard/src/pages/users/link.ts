// Owns the link of an invitation and how it is handed to WhatsApp. Pure.
import type { CreatedInvitation } from '$lib/api/types';

const HERE_ONLY = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The link under the address that this browser reached the server at, which others are likely to reach as well. Whoever sits
 * at the server's own machine gets the address that its configuration gives, since theirs leads nowhere else.
 */
export function linkOf(
  { secret, link }: Pick<CreatedInvitation, 'secret' | 'link'>,
  { origin, hostname }: Pick<Location, 'origin' | 'hostname'>,
): string {
  return (HERE_ONLY.includes(hostname) && link) || `${origin}/join#${secret}`;
}

/** Straight to the program: by way of its web site, that would see the secret. */
export const whatsapp = (message: string): string => `whatsapp://send?text=${encodeURIComponent(message)}`;
