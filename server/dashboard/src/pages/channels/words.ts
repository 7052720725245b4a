// Owns what a channel is called and how it is judged by what it did. Pure.
import type { Channel } from '$lib/api/system';
import type { AdminDictionary } from '$lib/i18n/admin.en';

export type Health = 'well' | 'idle' | 'waits' | 'fails';

/** What went wrong and has not come right since counts, however long ago something arrived. */
export function health({ problem, pending, sent_at }: Channel): Health {
  if (problem !== null) return 'fails';
  if (pending > 0) return 'waits';
  return sent_at === null ? 'idle' : 'well';
}

export function titleOf(t: AdminDictionary, { name, kind, host }: Channel): string {
  if (kind === 'mqtt') return t.channels.mqtt;
  const own = name.replace(/^webhook:/, '');
  return host ? `${own} → ${host}` : own;
}
