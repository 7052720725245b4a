// Holds what is typed of a new key, the command that tries it, and the order of the list.
import type { ApiKey, CreatedKey } from '$lib/api/types';
import { describe, expect, it } from 'vitest';
import { curlExample, givable, inOrder, parseNames, validName } from './key';

const KEY: CreatedKey = {
  id: 'k1',
  name: 'scada',
  key: 'tirta_key_s3cret',
  scopes: ['read'],
  devices: null,
  state: 'good',
  made_by: 'admin',
  made_at: 5,
  expires_at: null,
  used_at: null,
  revoked_at: null,
};

describe('a new key', () => {
  it('is given no more than its maker has, and never accounts or calibrations', () => {
    expect(givable(['manage_users', 'calibrate', 'read_audit', 'read'])).toEqual(['read', 'read_audit']);
  });

  it('has a name and devices that the server takes', () => {
    expect(['a', 'gateway-1', 'x'.repeat(40)].every(validName)).toBe(true);
    expect(['', 'A', 'a b', 'x'.repeat(41)].some(validName)).toBe(false);
    expect(parseNames(' well-3, pond;well-3\nWell 4')).toEqual({
      names: ['well-3', 'pond'],
      wrong: ['Well', '4'],
    });
    expect(parseNames('')).toEqual({ names: [], wrong: [] });
  });

  it('is tried by a command of what it may do', () => {
    expect(curlExample(KEY, 'https://x', 0)).toContain('curl https://x/api/v1/devices');
    const writes = curlExample(
      { ...KEY, scopes: ['write_readings'], devices: ['pond'] },
      'https://x',
      1234.5,
    );
    expect(writes).toContain('"device":"pond"');
    expect(writes).toContain('"time":1234');
    expect(writes).toContain('Bearer tirta_key_s3cret');
  });
});

it('keys that open something come first, the newest before the others', () => {
  const key = (id: string, state: ApiKey['state'], made_at: number): ApiKey => ({
    ...KEY,
    id,
    state,
    made_at,
  });
  const keys = [
    key('old', 'good', 1),
    key('gone', 'revoked', 9),
    key('new', 'good', 2),
    key('late', 'expired', 3),
  ];
  expect(inOrder(keys).map(({ id }) => id)).toEqual(['new', 'old', 'late', 'gone']);
});
