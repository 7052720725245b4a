// Owns what this session may do and which pages it may open. It only decides what is offered: the server decides what is
// done, and its answer says what each role may.
import type { Permission } from '$lib/api/types';
import type { Route } from '$lib/state/route';
import { session } from '$lib/state/session.svelte';

type Page = Route['page'];

/** Pages that need more than reading: a permission, or one of several. Whoever lacks it is not led there. */
const NEEDED: Partial<Record<Page, Permission | readonly Permission[]>> = {
  calibrate: 'calibrate',
  claim: 'claim_devices',
  threshold: 'set_thresholds',
  enrolment: 'read_audit',
  intake: 'read_audit',
  audit: 'read_audit',
  users: 'read_audit',
  keys: 'read_audit',
  // Anybody may read it; it is offered to those who keep the fleet or look after it.
  system: ['oversee_alerts', 'read_audit'],
};

export const may = (permission: Permission): boolean => session.permissions.includes(permission);

/** Whether a page can be shown to somebody with these permissions. Pure. */
export function opens(page: Page, permissions: readonly Permission[]): boolean {
  const needed = NEEDED[page];
  return needed === undefined || [needed].flat().some((each) => permissions.includes(each));
}

export const mayOpen = (page: Page): boolean => opens(page, session.permissions);
