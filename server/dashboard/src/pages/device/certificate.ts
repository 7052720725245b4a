// Owns the judgement on how much of a certificate's life is left.

export type CertificateState = 'ok' | 'soon' | 'expired';

/** A device renews when a third is left; one that has not done so by this part is kept from it by something. */
const LATE = 0.2;

export function certificateState(
  { issued_at, expires_at }: { issued_at: number; expires_at: number },
  now: number,
): CertificateState {
  if (expires_at <= now) return 'expired';
  return expires_at - now < LATE * (expires_at - issued_at) ? 'soon' : 'ok';
}

/** A long fingerprint in the form that people compare: four groups of four, then that there is more. */
export function shortFingerprint(hex: string): string {
  const groups = hex.slice(0, 16).match(/.{1,4}/g) ?? [];
  return groups.join(' ') + (hex.length > 16 ? ' …' : '');
}
