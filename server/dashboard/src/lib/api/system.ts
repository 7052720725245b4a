// Owns what the dashboard asks of the server about the server itself: how it is, its back-ups, channels, roles, presets.
import { call } from './call';
import type { components } from './schema';

type Schemas = components['schemas'];
export type System = Schemas['System'];
export type Finding = Schemas['Finding'];
export type Trouble = Schemas['FindingTrouble'];
export type About = Schemas['FindingAbout'];
export type Backups = Schemas['Backups'];
export type Backup = Schemas['Backup'];
export type Channel = Schemas['Channel'];
export type Roles = Schemas['Roles'];
export type NewPreset = Schemas['NewPreset'];

export const systemApi = {
  system: () => call('get', '/api/v1/system', {}),
  backups: () => call('get', '/api/v1/backups', {}),
  backUp: () => call('post', '/api/v1/backups', {}),
  roles: () => call('get', '/api/v1/roles', {}),
  channels: async () => (await call('get', '/api/v1/channels', {})).channels,
  testChannel: (id: string) => call('post', '/api/v1/channels/{id}/test', { path: { id } }),
  makePreset: (preset: NewPreset) => call('post', '/api/v1/thresholds/presets', { body: preset }),
  changePreset: (id: string, preset: NewPreset) =>
    call('put', '/api/v1/thresholds/presets/{id}', { path: { id }, body: preset }),
  removePreset: (id: string) => call('delete', '/api/v1/thresholds/presets/{id}', { path: { id } }),
};
