// Owns the English text of choosing a password.
export const passwordEn = {
  choose: 'Choose your password',
  chooseLead: 'The one you signed in with was made for you. Choose one that only you know, then go on.',
  change: 'Change password',
  changeLead: 'You stay signed in here. Your sessions on all other phones and computers end at once.',
  account: 'Account',
  old: 'Present password',
  oldHint: 'The one you have just signed in with.',
  new: 'New password',
  rule: 'At least 12 characters, and not your name. A few words in a row are easy to remember.',
  show: 'Show the passwords',
  submit: 'Save password',
  busy: 'Saving…',
  done: 'Password changed. Your other sessions have ended.',
  problem: {
    oldMissing: 'Enter your present password.',
    oldWrong: 'This is not your present password.',
    short: (count: string) => `Too short: it has ${count} of at least 12 characters.`,
    same: 'This is your present password. Choose another.',
    unfit:
      'This can’t be used. Choose something that nobody would try: not your name, and not extremely long.',
  },
};
