// Checks what a newcomer is told.
import { describe, expect, it } from 'vitest';
import { Problem } from '$lib/api/problem';
import { en } from '$lib/i18n/en';
import { id } from '$lib/i18n/id';
import { endedBy, fieldOf, missing, suggested, words } from './newcomer';

describe('a newcomer', () => {
  it('is told of a name and a password that can’t be before the server is asked', () => {
    expect(missing('T', 'air kolam jernih')).toBe('name');
    expect(missing('tono', 'pendek')).toBe('short');
    expect(missing('tono', 'air kolam jernih')).toBeNull();
    expect(words(id, 'short', '6')).toBe(id.password.problem.short('6'));
  });

  it('is told at the field what the server refuses', () => {
    const taken = new Problem(409, 'taken', '', 'name');
    expect(fieldOf(taken)).toBe('name');
    expect(words(en, taken, '')).toBe(en.newcomers.join.nameTaken);
    const unfit = new Problem(400, 'invalid', '', 'password');
    expect([fieldOf(unfit), words(en, unfit, '')]).toEqual(['password', en.newcomers.join.unfit]);
    const full = new Problem(429, 'too_many_waiting', '');
    expect([fieldOf(full), words(id, full, '')]).toEqual([null, id.newcomers.signUp.tooMany]);
  });

  it('learns why an invitation is none any more, and a failure of the network is none of that', () => {
    expect(endedBy(en, new Problem(410, 'invitation_used', ''))).toBe('invitation_used');
    expect(endedBy(en, new Problem(404, 'unknown_invitation', ''))).toBe('unknown_invitation');
    expect(endedBy(en, new Problem(0, 'unreachable', ''))).toBeNull();
  });

  it('is offered a user name that can be one, or none', () => {
    expect(suggested('Pak Tono')).toBe('pak-tono');
    expect(suggested(' 2 Bu Éva! ')).toBe('bu-eva');
    expect(suggested('王')).toBe('');
    expect(suggested(null)).toBe('');
    expect(suggested(`${'a'.repeat(31)} b`)).toBe('a'.repeat(31));
  });
});
