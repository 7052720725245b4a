// Owns the shape of a language: every key of the English one, with the same arguments.
import type { en } from './en';

/** A language of these texts: every key of them, with the same arguments. */
export type Translated<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : T extends readonly string[]
      ? readonly string[]
      : { [K in keyof T]: Translated<T[K]> };

export type Dictionary = Translated<typeof en>;
