// Checks which pages are offered to whom.
import { describe, expect, it } from 'vitest';
import { Problem } from '$lib/api/problem';
import type { Permission } from '$lib/api/types';
import { en } from '$lib/i18n/en';
import { problemText } from '$lib/i18n/words';
import { opens } from './may';

describe('a page', () => {
  const technician: Permission[] = ['read', 'handle_alerts', 'calibrate', 'claim_devices'];
  const auditor: Permission[] = ['read', 'read_audit'];

  it('that only reads is open to everybody', () => {
    for (const page of [
      'fleet',
      'device',
      'map',
      'calibrations',
      'alerts',
      'thresholds',
      'waiting',
      'outages',
    ] as const) {
      expect(opens(page, ['read']), page).toBe(true);
    }
    // One's own things need no permission at all.
    for (const page of ['settings', 'password', 'profile', 'security'] as const)
      expect(opens(page, []), page).toBe(true);
  });

  it('is offered to those whose role allows what it is for', () => {
    expect(opens('calibrate', technician)).toBe(true);
    expect(opens('claim', technician)).toBe(true);
    for (const page of ['audit', 'users', 'enrolment', 'intake', 'threshold'] as const)
      expect(opens(page, technician), page).toBe(false);
    for (const page of ['audit', 'users', 'enrolment', 'intake'] as const)
      expect(opens(page, auditor), page).toBe(true);
    for (const who of [auditor, ['read', 'oversee_alerts'] as Permission[]])
      expect(opens('system', who), who.join()).toBe(true);
    expect(opens('system', technician)).toBe(false);
    for (const page of ['calibrate', 'claim', 'threshold'] as const)
      expect(opens(page, auditor), page).toBe(false);
  });
});

describe('a refusal', () => {
  it('for the role is told apart from a failure of the network and from a password to be chosen', () => {
    const refused = new Problem(403, 'forbidden', 'this needs the permission read_audit');
    expect(refused.forbidden).toBe(true);
    expect(refused.mustChange).toBe(false);
    expect(problemText(en, refused)).toBe(en.problem.forbidden);
    expect(new Problem(403, 'change_password', 'choose a password').mustChange).toBe(true);
    expect(new Problem(403, 'change_password', 'choose a password').forbidden).toBe(false);
    expect(new Problem(0, 'unreachable', '').forbidden).toBe(false);
  });
});
