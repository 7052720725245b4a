// Owns the theme: light, dark, or the system's and then following it. public/theme.js paints it first.
import { stored } from './stored';

export type ThemeChoice = 'system' | 'light' | 'dark';
export const THEME_CHOICES: readonly ThemeChoice[] = ['system', 'light', 'dark'];

const system = matchMedia('(prefers-color-scheme: dark)');

class Theme {
  #choice = $state<ThemeChoice>(stored.read('theme', THEME_CHOICES) ?? 'system');
  #systemDark = $state(system.matches);

  constructor() {
    system.addEventListener('change', (event) => {
      this.#systemDark = event.matches;
      this.apply();
    });
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  set choice(choice: ThemeChoice) {
    this.#choice = choice;
    stored.write('theme', choice);
    this.apply();
  }

  get dark(): boolean {
    return this.#choice === 'dark' || (this.#choice === 'system' && this.#systemDark);
  }

  apply(): void {
    document.documentElement.dataset.theme = this.dark ? 'dark' : 'light';
    // The browser's own bars take the colour of the page.
    const ground = getComputedStyle(document.documentElement).getPropertyValue('--bg').trim();
    document.querySelector('meta[name="theme-color"]')?.setAttribute('content', ground);
  }
}

export const theme = new Theme();
