// Owns how the server's words about a spreadsheet become sentences. A word that this version does not know is
// shown as the server says it.
import type { LineProblem } from '$lib/api/types';
import type { Dictionary } from '$lib/i18n/dictionary';

type Texts = Dictionary['registry'];

export function fieldName(t: Texts, field: string): string {
  return field in t.fields ? t.fields[field as keyof Texts['fields']] : field;
}

export function problemWords(t: Texts, { field, code, about, detail }: LineProblem): string {
  const known = code in t.problems ? t.problems[code as keyof Texts['problems']](about) : detail;
  return field ? `${fieldName(t, field)}: ${known}` : known;
}
