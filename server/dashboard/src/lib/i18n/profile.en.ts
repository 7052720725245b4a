// Owns the English text of one's own profile.
export const profileEn = {
  title: 'Profile',
  lead: 'How you are called, how Tirta looks, and when it makes itself heard. It comes along to every phone that you sign in on.',
  person: {
    title: 'About you',
    displayName: 'What others call you',
    displayNameHint: 'Optional. Your user name stays.',
    email: 'E-mail address',
    emailHint: 'Optional. You can sign in with it, too.',
    save: 'Save',
    saved: 'Saved',
    emailWrong: 'Write it as name@example.org.',
    emailTaken: 'Another account has this address.',
    tooLong: 'At most 80 characters, on one line.',
  },
  look: {
    title: 'Appearance',
    browsers: 'Browser’s',
    themeHint: 'By day outside light is easier to read.',
  },
  heard: {
    severities: 'Of which alerts',
    severitiesHint: 'All of them stand on the screen; these are heard, too.',
    quiet: 'Quiet hours',
    quietHint: 'Only what is critical is heard then. By the clock of the phone.',
    from: 'From',
    to: 'Until',
    same: 'It must end at another time than it begins.',
  },
  security: {
    title: 'Security',
    password: 'The others are signed out then.',
    sessions: 'Where you are signed in, and the code at sign-in',
    roles: 'What each role may do',
    sessionsHint: 'End a session on a lost phone; ask for a code besides the password.',
  },
};
