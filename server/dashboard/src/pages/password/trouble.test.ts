// Checks that what is wrong with a new password is told before asking where it can be, and beside the right field.
import { describe, expect, it } from 'vitest';
import { Problem } from '$lib/api/problem';
import { en } from '$lib/i18n/en';
import { fieldOf, missing, troubleWords } from './trouble';

describe('a new password', () => {
  it('is refused before asking when it is short, the old one, or the old one is missing', () => {
    expect(missing('', 'twelve-letters')).toBe('oldMissing');
    expect(missing('first-password', 'eleven-char')).toBe('short');
    expect(missing('first-password', 'first-password')).toBe('same');
    expect(missing('first-password', 'twelve-chars')).toBeNull();
  });

  it('is counted in characters, as the server does', () => {
    expect(missing('first-password', '💧'.repeat(11))).toBe('short');
    expect(missing('first-password', '💧'.repeat(12))).toBeNull();
  });

  it('is told beside the field that the server names, and above the form if it names none', () => {
    const wrong = new Problem(403, 'wrong_password', 'the old password is wrong', 'old');
    expect(fieldOf(wrong)).toBe('old');
    expect(troubleWords(en, wrong, '12')).toBe(en.password.problem.oldWrong);
    const name = new Problem(400, 'invalid', 'it is your name', 'new');
    expect(fieldOf(name)).toBe('new');
    expect(troubleWords(en, name, '12')).toBe(en.password.problem.unfit);
    const cut = new Problem(0, 'unreachable', 'no network');
    expect(fieldOf(cut)).toBeNull();
    expect(troubleWords(en, cut, '12')).toBe(en.problem.unreachable);
    expect(troubleWords(en, new Problem(429, 'too_many_attempts', ''), '12')).toBe(en.signIn.slow);
  });
});
