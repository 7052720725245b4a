// Owns the language: the browser's at first, then as the person chose here or in their profile. Text through `i18n.t`.
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
  #chosen = false;

  get language(): Language {
    return this.#language;
  }

  /** What the person chooses on this screen. */
  set language(language: Language) {
    this.#chosen = true;
    this.#set(language);
  }

  /** What the profile says; null is the browser's language. */
  follow(language: Language | null): void {
    this.#set(language);
  }

  /** What the person chose since the last time this was asked. */
  takeChosen(): Language | null {
    const chosen = this.#chosen ? this.#language : null;
    this.#chosen = false;
    return chosen;
  }

  #set(language: Language | null): void {
    this.#language = language ?? preferredLanguage(navigator.languages);
    stored.write('language', language ?? '');
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
