// Owns the English texts of pages that few people open. They come with those pages, not with the first load.
import { channelsEn } from './channels.en';
import type { Translated } from './dictionary';
import { presetsEn } from './presets.en';
import { systemEn } from './system.en';

export const adminEn = { system: systemEn, channels: channelsEn, presets: presetsEn };

/** The shape of each language of them. */
export type AdminDictionary = Translated<typeof adminEn>;
