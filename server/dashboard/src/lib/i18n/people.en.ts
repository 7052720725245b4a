// Owns the English text of accounts, roles and what they may do.
import type { Role } from '$lib/api/types';

export const peopleEn = {
  roles: {
    admin: 'Admin',
    supervisor: 'Supervisor',
    technician: 'Technician',
    auditor: 'Auditor',
  } satisfies Record<Role, string>,
  roleHints: {
    admin: 'May do everything.',
    supervisor: 'Thresholds, devices, silences, and whose an alert is.',
    technician: 'Works at the tanks: alerts, calibration, setting devices up.',
    auditor: 'Reads everything, and changes nothing.',
  } satisfies Record<Role, string>,
  notAllowed: {
    title: 'Your role may not open this page',
    lead: (role: string) => `You are signed in as: ${role}. An admin can give you another role.`,
  },
};
