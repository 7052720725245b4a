// Owns what this browser remembers: small choices only, never data or credentials.

const PREFIX = 'tirta.';

export const stored = {
  /** A remembered choice, if it is still one of those that exist. */
  read<T extends string>(key: string, choices: readonly T[]): T | null {
    try {
      const value = localStorage.getItem(PREFIX + key);
      return choices.find((choice) => choice === value) ?? null;
    } catch {
      return null; // storage is forbidden: every visit starts with the defaults
    }
  },

  write(key: string, value: string): void {
    try {
      localStorage.setItem(PREFIX + key, value);
    } catch {
      // Forbidden or full: the choice holds until the page is left.
    }
  },
};
