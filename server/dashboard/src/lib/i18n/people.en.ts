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
  accounts: {
    title: 'Accounts',
    lead: 'Who may sign in, and what each of them may do. Accounts are disabled, never deleted: the audit log names them.',
    list: 'Accounts',
    empty: 'No accounts',
    failed: 'The accounts could not be loaded',
    add: 'Add an account',
    name: 'User name',
    namePlaceholder: 'For example: tono',
    nameHint: '2 to 32 small letters, digits, - and _; a letter first. It never changes.',
    role: 'Role',
    roleHint:
      'Another role takes effect at once and ends the person’s sessions. An admin who becomes something else loses their API keys and open invitations.',
    email: 'E-mail address (optional)',
    emailHint: 'The person may sign in with it, too.',
    submit: 'Add account',
    adding: 'Adding…',
    onceTitle: (user: string) => `First password of ${user}`,
    once: 'Copy it now. It is only shown once.',
    firstPassword: 'First password',
    onceHint: 'Hand it to the person. After signing in with it, they choose their own.',
    you: 'you',
    states: {
      active: 'Active',
      first: 'Has not yet chosen a password',
      disabled: 'Disabled',
    },
    disabledSince: (when: string) => `Disabled since ${when}`,
    change: 'Change…',
    changeNamed: (user: string) => `Change ${user}`,
    dialogTitle: (user: string) => `Account ${user}`,
    ownHint: 'This is your own account. Another admin can change its role or disable it.',
    save: 'Save',
    saved: (user: string) => `${user} was changed`,
    reset: 'Reset password',
    resetHint:
      'For somebody who forgot it: a new first password, shown once. All their sessions end, and their API keys and open invitations are withdrawn.',
    disable: 'Disable account',
    disableHint:
      'Nobody signs in with it any more, and all its sessions end at once. Its API keys and open invitations are withdrawn for good. It can be enabled again.',
    disabled: (user: string) => `${user} was disabled`,
    enable: 'Enable account',
    enableHint: 'The person can sign in again with the same password.',
    enabled: (user: string) => `${user} was enabled`,
    problem: {
      name: 'Use 2 to 32 small letters, digits, - and _; a letter first; and not “device” or “server”.',
      nameTaken: 'There is an account of this name already.',
      email: 'Write it as name@example.org.',
      emailTaken: 'Another account has this address.',
      lastAdmin: 'This is the last account that may do everything. Make another one an admin first.',
    },
  },
  notAllowed: {
    title: 'Your role may not open this page',
    lead: (role: string) => `You are signed in as: ${role}. An admin can give you another role.`,
  },
};
