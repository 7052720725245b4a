// Owns the chosen language: from the browser at first, then as the person chose. Text through `i18n.t`.
import { stored } from '$lib/state/stored';
import type { Dictionary } from './dictionary';
import { en } from './en';
import { id } from './id';

export type Language = 'id' | 'en';
export const LANGUAGES: readonly Language[] = ['id', 'en'];

const dictionaries: Record<Language, Dictionary> = { id, en };
/** Where numbers and dates take their form from. British: the 24-hour clock and day before month. */
const locales: Record<Language, string> = { id: 'id-ID', en: 'en-GB' };

/** The first language of the browser's that there is a dictionary for; else Indonesian. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0];
    // `in` is the code that old Android versions use for Indonesian.
    if (language === 'id' || language === 'in') return 'id';
    if (language === 'en') return 'en';
  }
  return 'id';
}

class I18n {
  #language = $state<Language>(stored.read('language', LANGUAGES) ?? preferredLanguage(navigator.languages));

  get language(): Language {
    return this.#language;
  }

  set language(language: Language) {
    this.#language = language;
    stored.write('language', language);
    this.announce();
  }

  get t(): Dictionary {
    return dictionaries[this.#language];
  }

  get locale(): string {
    return locales[this.#language];
  }

  nameOf(language: Language): string {
    return dictionaries[language].name;
  }

  /** Tells the browser and the screen reader which language the page speaks. */
  announce(): void {
    document.documentElement.lang = this.#language;
  }
}

export const i18n = new I18n();
