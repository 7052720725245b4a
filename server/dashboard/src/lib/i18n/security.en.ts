// Owns the English text of one's own sessions and of the code at sign-in.
const one = (count: number, single: string, many: string): string => (count === 1 ? single : many);

export const securityEn = {
  title: 'Security',
  lead: 'Where you are signed in, and what signing in needs.',

  sessions: {
    title: 'Where you are signed in',
    empty: 'You are signed in nowhere',
    failed: 'Your sessions could not be loaded',
    here: 'This device',
    on: (program: string, system: string) => `${program} on ${system}`,
    unknown: 'Unknown program',
    address: (address: string) => `Address ${address}`,
    used: 'Last used',
    since: (when: string) => `since ${when}`,
    end: 'Sign out',
    endNamed: (what: string) => `Sign out: ${what}`,
    ended: (what: string) => `Signed out: ${what}`,
    all: 'Sign out everywhere',
    allHint: 'If a phone was lost or something looks strange. You are signed out here, too.',
    allDone: 'You are signed out everywhere.',
  },

  factor: {
    title: 'Code at sign-in',
    off: 'Switched off. With it, a stolen password alone lets nobody in: signing in also needs a code that your phone shows.',
    on: (when: string) =>
      `Switched on since ${when}. Signing in needs your password and the code of your phone.`,
    left: (count: number, text: string) =>
      one(count, `${text} recovery code is left.`, `${text} recovery codes are left.`),
    few: 'Switch the code off and on again for new ones before they run out.',
    begin: 'Set up',
    stop: 'Switch off',
    stopTitle: 'Switch the code off?',
    stopHint: 'After that your password alone is enough. Your recovery codes stop working.',
    stopped: 'The code is switched off',
    password: 'Your password',
    passwordWrong: 'This is not your password.',
    go: 'Continue',
    scan: 'Open an authenticator app on your phone and scan this picture.',
    picture: 'Picture with the secret for the app',
    typed: 'Or type this secret into the app',
    code: 'Code that the app shows',
    codeHint: 'Six digits. It changes every 30 seconds.',
    codeWrong:
      'This code is not right. Take the one that is shown now, and check that the clock of your phone is right.',
    confirm: 'Switch on',
    busy: 'One moment…',
    doneTitle: 'Keep these recovery codes',
    done: 'The code is switched on. If your phone is lost, each of these opens your account once. They are shown only now: print them or write them down.',
    codes: 'Recovery codes',
    kept: 'I have kept them',
  },

  signIn: {
    title: 'Enter your code',
    lead: 'Your password is right. Now the code that your phone shows.',
    code: 'Code',
    hint: 'Six digits from your app, or one of your recovery codes.',
    wrong: 'This code is not right, or was used already. Take the one that is shown now.',
    missing: 'Enter the code.',
    back: 'Back',
  },

  admin: {
    hint: 'For somebody who lost phone and recovery codes: signing in needs the password alone again.',
    remove: 'Switch off the code at sign-in',
    removed: (user: string) => `The code of ${user} is switched off`,
    none: 'This account has no code at sign-in.',
  },

  log: {
    reasons: {
      signed_out: 'signed out',
      signed_in_again: 'signed in again in the same browser',
      everywhere: 'signed out everywhere',
      ended_by_owner: 'ended from another device',
      password_changed: 'password changed',
      password_reset: 'password reset',
      role: 'another role',
      disabled: 'account disabled',
      recovered: 'recovered at the server',
    },
    factors: { totp: 'code of the phone', recovery_code: 'recovery code' },
  },
};
