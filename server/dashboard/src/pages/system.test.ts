// Checks the rules behind the pages of an admin: sizes, what is said of a trouble, how a channel fares, the order of presets.
import type { Preset } from '$lib/api/alert-types';
import type { Channel } from '$lib/api/system';
import { formatBytes } from '$lib/format/bytes';
import { adminEn as en } from '$lib/i18n/admin.en';
import { adminId as id } from '$lib/i18n/admin.id';
import { parseRoute, paths } from '$lib/state/route';
import { describe, expect, it } from 'vitest';
import { health, titleOf } from './channels/words';
import { byGroup } from './presets/groups';
import { percent, troubleWords } from './system/words';

const flat = (text: string): string => text.replace(/\u00a0|\u202f/g, ' ');

describe('sizes', () => {
  it('take the unit that leaves one to three digits', () => {
    expect(flat(formatBytes(0, 'en-GB'))).toBe('0 byte');
    expect(flat(formatBytes(4_194_304, 'id-ID'))).toBe('4,2 MB');
    expect(flat(formatBytes(31_914_983_424, 'en-GB'))).toBe('32 GB');
    expect(flat(formatBytes(999_600, 'en-GB'))).toBe('1 MB');
  });
});

describe('a back-up that is being made', () => {
  it('is never quite written before it is read back', () => {
    expect(percent({ written: 1, of: 4 })).toBe(25);
    expect(percent({ written: 9, of: 4 })).toBe(99);
    expect(percent({ written: 0, of: 0 })).toBe(0);
  });
});

describe('a trouble', () => {
  it('is told with what to do, and one of a newer server by its own word', () => {
    expect(troubleWords(id, 'disk_full')).toBe(id.system.troubles.disk_full);
    expect(troubleWords(en, 'eaten_by_fish')).toEqual({
      short: 'eaten_by_fish',
      hint: en.system.otherTrouble,
    });
  });
});

const CHANNEL: Channel = {
  name: 'webhook:siren',
  kind: 'webhook',
  configured: true,
  host: 'hooks.example',
  events: ['raised'],
  pending: 0,
  oldest_at: null,
  sent: 0,
  failed: 0,
  sent_at: null,
  failed_at: null,
  problem: null,
};

describe('a channel', () => {
  it('fails while its last problem has not come right, whatever arrived before', () => {
    expect(health(CHANNEL)).toBe('idle');
    expect(health({ ...CHANNEL, sent_at: 1 })).toBe('well');
    expect(health({ ...CHANNEL, sent_at: 1, pending: 2 })).toBe('waits');
    expect(health({ ...CHANNEL, sent_at: 1, pending: 2, problem: 'it answered 500' })).toBe('fails');
  });

  it('is called by its own name and where it leads', () => {
    expect(titleOf(en, CHANNEL)).toBe('siren → hooks.example');
    expect(titleOf(en, { ...CHANNEL, host: null })).toBe('siren');
    expect(titleOf(en, { ...CHANNEL, kind: 'mqtt', name: 'mqtt', host: null })).toBe(en.channels.mqtt);
  });
});

describe('presets', () => {
  it('stand in their groups, those of one’s own first and also where there is none', () => {
    const preset = (name: string, group: string): Preset => ({
      id: name,
      name: { id: name, en: name },
      group,
      version: 1,
      effective: '2025-11-21',
      source: 'x',
      metrics: {},
      changed_by: null,
    });
    const all = [preset('a', 'wastewater'), preset('b', 'hydroponics'), preset('c', 'wastewater')];
    expect(byGroup(all).map(({ group, presets }) => [group, presets.length])).toEqual([
      ['own', 0],
      ['wastewater', 2],
      ['hydroponics', 1],
    ]);
    expect(byGroup([...all, preset('d', 'own')])[0]?.presets).toHaveLength(1);
    for (const { group } of byGroup(all)) expect(id.presets.groups).toHaveProperty(group);
  });
});

describe('the addresses of an admin', () => {
  it('lead to their pages', () => {
    expect(parseRoute(paths.system)).toEqual({ page: 'system' });
    expect(parseRoute(paths.roles)).toEqual({ page: 'roles' });
    expect(parseRoute(paths.channels)).toEqual({ page: 'channels' });
    expect(parseRoute(paths.presets)).toEqual({ page: 'presets' });
    expect(parseRoute('/thresholds/presets/x')).toEqual({ page: 'missing' });
  });
});
