// Owns which language those texts are read in that come with their pages: the same as all others. Text through `admin.t`.
import { adminEn, type AdminDictionary } from './admin.en';
import { adminId } from './admin.id';
import { i18n, type Language } from './index.svelte';

const dictionaries: Record<Language, AdminDictionary> = { id: adminId, en: adminEn };

export const admin = {
  get t(): AdminDictionary {
    return dictionaries[i18n.language];
  },
};
