// Owns the Indonesian text about the interface's description.
import type { Dictionary } from './dictionary';

export const docsId: Dictionary['docs'] = {
  link: 'Dokumentasi API',
};
