// Checks the rules of accounts: their names, their states, and that a refusal is told where it belongs.
import { describe, expect, it } from 'vitest';
import { Problem } from '$lib/api/problem';
import type { User } from '$lib/api/types';
import { en } from '$lib/i18n/en';
import { accountTrouble, asName, fieldOf, stateOf, validName } from './account';

const user = (about: Partial<User>): User => ({
  name: 'tono',
  role: 'technician',
  display_name: null,
  email: null,
  must_change: false,
  created_at: 0,
  disabled_at: null,
  ...about,
});

describe('an account', () => {
  it('has a name of small letters, digits, dashes and underscores, a letter first', () => {
    for (const good of ['tono', 'rini-2', 'a_b', 'x'.repeat(32)]) expect(validName(good), good).toBe(true);
    for (const bad of ['', 't', 'Tono', '2tono', 'tono wibowo', 'tono@x', 'x'.repeat(33)])
      expect(validName(bad), bad).toBe(false);
    expect(asName(' Tono ')).toBe('tono');
  });

  it('that is disabled is so whatever its password is', () => {
    expect(stateOf(user({}))).toBe('active');
    expect(stateOf(user({ must_change: true }))).toBe('first');
    expect(stateOf(user({ must_change: true, disabled_at: 1 }))).toBe('disabled');
  });

  it('that is refused says why beside the field, in words of accounts', () => {
    const words = en.people.accounts.problem;
    const taken = new Problem(409, 'taken', 'there is an account of this name', 'name');
    expect(fieldOf(taken)).toBe('name');
    expect(accountTrouble(en, taken)).toBe(words.nameTaken);
    expect(accountTrouble(en, new Problem(409, 'taken', '', 'email'))).toBe(words.emailTaken);
    expect(accountTrouble(en, new Problem(400, 'invalid', '', 'email'))).toBe(words.email);
    const last = new Problem(409, 'last_admin', 'make another account an admin first');
    expect(fieldOf(last)).toBeNull();
    expect(accountTrouble(en, last)).toBe(words.lastAdmin);
    expect(accountTrouble(en, new Problem(403, 'forbidden', ''))).toBe(en.problem.forbidden);
  });
});
