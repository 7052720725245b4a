// Checks the rules behind the pages about identity: tokens, certificates, who waits, claims, the audit log.
import { en } from '$lib/i18n/en';
import { id } from '$lib/i18n/id';
import { distinct } from '$lib/state/distinct';
import { describe, expect, it } from 'vitest';
import { actsOf, GROUPS, meant } from './audit/kinds';
import { actIcon, actWords, detailPairs, whoWords } from './audit/words';
import { boardOf, known, supervisors } from './claim/known';
import { certificateState, shortFingerprint } from './device/certificate';
import { inOrder, tokenState } from './tokens/state';
import { comesBack, reasonIcon, reasonWords } from './waiting/reason';

const DAY = 86_400_000;

describe('a token', () => {
  const token = { revoked_at: null, expires_at: 100, uses_left: 1, created_at: 0 };

  it('works until it is revoked, used up or expired', () => {
    expect(tokenState(token, 99)).toBe('usable');
    expect(tokenState(token, 100)).toBe('expired');
    expect(tokenState({ ...token, uses_left: 0 }, 200)).toBe('usedUp');
    expect(tokenState({ ...token, uses_left: 0, revoked_at: 50 }, 200)).toBe('revoked');
  });

  it('that works stands before the others, the newest first', () => {
    const tokens = [
      { ...token, created_at: 1 },
      { ...token, created_at: 3, revoked_at: 4 },
      { ...token, created_at: 2 },
    ];
    expect(inOrder(tokens, 50).map(({ created_at }) => created_at)).toEqual([2, 1, 3]);
  });
});

describe('a certificate', () => {
  const certificate = { issued_at: 0, expires_at: 30 * DAY };

  it('warns when it should have been renewed long ago', () => {
    expect(certificateState(certificate, 20 * DAY)).toBe('ok');
    expect(certificateState(certificate, 25 * DAY)).toBe('soon');
    expect(certificateState(certificate, 30 * DAY)).toBe('expired');
  });

  it('is compared by the beginning of its fingerprint', () => {
    expect(shortFingerprint('0123456789abcdef0123')).toBe('0123 4567 89ab cdef …');
    expect(shortFingerprint('01234567')).toBe('0123 4567');
    expect(shortFingerprint('')).toBe('');
  });
});

describe('a board that waits', () => {
  it('says why in words, and an unknown reason is another reason', () => {
    for (const reason of ['not_expected', 'second_key', 'shared_key'])
      expect(reasonWords(id, reason)).not.toBe(id.identity.waiting.reasons.other);
    expect(reasonWords(id, 'eaten_by_fish')).toBe(id.identity.waiting.reasons.other);
    expect(reasonWords(id, 'toString')).toBe(id.identity.waiting.reasons.other);
    expect(reasonIcon('eaten_by_fish')).toBe('info');
  });

  it('is what it was if it is known by its serial, and otherwise whatever somebody says', () => {
    expect(comesBack({ reason: 'second_key', device: 'pi-7' })).toBe('pi-7');
    expect(comesBack({ reason: 'shared_key', device: 'pi-7' })).toBe('pi-7');
    expect(comesBack({ reason: 'shared_key', device: null })).toBeNull();
    expect(comesBack({ reason: 'not_expected', device: null })).toBeNull();
  });
});

describe('a label', () => {
  const waits = (id: string, serial: string, reason = 'not_expected') => ({ id, serial, reason });
  const sources = {
    devices: [{ name: 'pi-1', serial: 'aa', location: 'Kolam' }],
    registrations: [
      { name: 'pi-2', serial: 'bb', location: 'Rumah kaca' },
      { name: 'pi-3', serial: null, location: 'Gudang' },
      { name: 'pi-1', serial: 'aa', location: 'Dulu' },
    ],
    waiting: [waits('1', 'cc'), waits('2', 'bb'), waits('3', 'aa', 'second_key')],
  };

  it('is completed by what the server knows', () => {
    const of = (name: string | null, serial: string | null) => known({ name, serial }, sources);
    const one = { name: 'pi-1', serial: 'aa', location: 'Kolam', is: 'known', listed: true, bound: true };
    expect(of('pi-1', null)).toEqual(one);
    expect(of(null, 'aa')).toEqual(one);
    const two = {
      name: 'pi-2',
      serial: 'bb',
      location: 'Rumah kaca',
      is: 'waits',
      listed: true,
      bound: true,
    };
    expect(of('pi-2', null)).toEqual(two);
    const three = {
      name: 'pi-3',
      serial: null,
      location: 'Gudang',
      is: 'expected',
      listed: true,
      bound: false,
    };
    expect(of('pi-3', null)).toEqual(three);
    const stranger = { name: null, serial: 'cc', location: '', is: 'waits', listed: false, bound: false };
    expect(of(null, 'cc')).toEqual(stranger);
    const nobody = { name: 'pi-9', serial: 'dd', location: '', is: 'unknown', listed: false, bound: false };
    expect(of('pi-9', 'dd')).toEqual(nobody);
  });

  it('says before anything is filled in what only a supervisor can do', () => {
    const of = (name: string | null, serial: string | null, may = false) =>
      supervisors(known({ name, serial }, sources), may);
    expect(of(null, 'cc')).toBe('all'); // it waits, and nobody has written it down
    expect(of('pi-9', 'cc')).toBe('all');
    expect(of('pi-3', null)).toBe('board'); // a reserved name
    expect(of('pi-3', 'cc')).toBe('board');
    for (const own of [of('pi-1', null), of('pi-2', null), of('pi-9', 'dd')]) expect(own).toBeNull();
    expect(of(null, 'cc', true)).toBeNull();
    expect(of('pi-3', null, true)).toBeNull();
  });

  it('of a board that waits is found by its serial, unless its key is in doubt', () => {
    expect(boardOf(sources.waiting, 'cc')?.id).toBe('1');
    expect(boardOf(sources.waiting, 'aa')).toBeUndefined();
    expect(boardOf(sources.waiting, null)).toBeUndefined();
  });
});

describe('the audit log', () => {
  it('tells acts and actors in words, and what it does not know as it is', () => {
    expect(actWords(id.audit, 'device.enrolled')).toBe(id.audit.acts['device.enrolled']);
    expect(actWords(id.audit, 'device.eaten_by_fish')).toBe('device.eaten_by_fish');
    expect(actIcon('device.eaten_by_fish')).toBe('shield');
    expect(whoWords(en.audit, 'device')).toBe(en.audit.byDevice);
    expect(whoWords(en.audit, 'sari')).toBe('sari');
  });

  it('has each kind of act in one group, and asks for a group, a kind, or everything', () => {
    expect(GROUPS.flatMap(actsOf).toSorted()).toEqual(Object.keys(en.audit.acts).toSorted());
    expect(meant('devices')).toContain('device.replaced');
    expect(meant('devices')).not.toContain('alert.raised');
    expect(meant('token.created')).toEqual(['token.created']);
    expect([...meant(''), ...meant('device.eaten_by_fish')]).toEqual([]);
  });

  it('leaves out no detail, and shortens only fingerprints', () => {
    const detail = {
      fish: 'lele',
      uses: 3,
      key: 'ab'.repeat(32),
      reason: 'second_key',
      admits: 'any',
      expected: true,
      expires_at: 1_000,
      nothing: null,
      from: { name: 'pi-1', serials: ['aa', 'bb'] },
    };
    expect(detailPairs(en, { detail }, (time) => `<${time}>`)).toEqual([
      ['fish', 'lele'],
      [en.audit.keys.uses, '3'],
      [en.audit.keys.key, `${'ab'.repeat(8)}…`],
      [en.audit.keys.reason, en.identity.waiting.reasons.second_key.short],
      [en.audit.keys.admits, en.tokens.admitsAny],
      [en.audit.keys.expected, en.audit.yes],
      [en.audit.keys.expires_at, '<1000>'],
      [en.audit.keys.from, 'name: pi-1, serials: aa, bb'],
    ]);
  });
});

it('every place is offered once, in the order that people count in', () => {
  expect(distinct(['Kolam 10', ' Kolam 2 ', null, '', undefined, 'Kolam 10'])).toEqual([
    'Kolam 2',
    'Kolam 10',
  ]);
});
