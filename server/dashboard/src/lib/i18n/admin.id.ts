// Owns the Indonesian texts of pages that few people open.
import type { AdminDictionary } from './admin.en';
import { channelsId } from './channels.id';
import { presetsId } from './presets.id';
import { systemId } from './system.id';

export const adminId: AdminDictionary = { system: systemId, channels: channelsId, presets: presetsId };
