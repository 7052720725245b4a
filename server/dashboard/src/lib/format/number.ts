// Owns how measured values and counts are written. Decimal comma or point follows the language.
import { metricOf } from '$lib/metrics';

const formats = new Map<string, Intl.NumberFormat>();

export function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format;
}

/** With exactly so many decimals. -0,0 would be read as a sign of something, so it is none. */
export function formatFixed(value: number, digits: number, locale: string): string {
  const rounded = Number(value.toFixed(digits)) === 0 ? 0 : value;
  return numberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    rounded,
  );
}

/** With no more decimals than it has, three at most. */
export function formatShortest(value: number, locale: string): string {
  return numberFormat(locale, { maximumFractionDigits: 3 }).format(value);
}

/** A measured value with the digits that its metric deserves, without its unit. */
export function formatValue(value: number, metric: string, locale: string): string {
  // A large number needs no decimals, and a narrow card has no room for them.
  const digits = Math.abs(value) >= 10_000 ? 0 : metricOf(metric).digits;
  return formatFixed(value, digits, locale);
}

/** A whole number, such as a count of readings. */
export function formatCount(count: number, locale: string): string {
  return numberFormat(locale, { maximumFractionDigits: 0 }).format(count);
}

/**
 * What "1.500" may mean in Indonesian and "1,500" in English: one and a half thousand, as numbers are shown, or one and a
 * half, as either sign is taken for the decimal one. Null when there is no doubt.
 */
export function readings(text: string, locale: string): { whole: number; part: number } | null {
  const plain = text.trim().replace(/^[-−]/, '');
  const group = numberFormat(locale, {})
    .formatToParts(1_234_567)
    .find(({ type }) => type === 'group');
  // No thousands begin with a zero.
  if (!group || !/^[1-9]\d{0,2}\D\d{3}$/.test(plain) || !plain.includes(group.value)) return null;
  const [thousands, rest] = plain.split(group.value);
  return { whole: Number(`${thousands}${rest}`), part: Number(`${thousands}.${rest}`) };
}

/** Reads what a person typed: comma or point, white space around it. Null when it is no number, or could be two. */
export function parseNumber(text: string, locale: string): number | null {
  if (readings(text, locale)) return null;
  const plain = text.trim().replace(',', '.');
  if (!/^\d+(\.\d+)?$/.test(plain)) return null;
  return Number(plain);
}

/** The same, but below zero too. */
export function parseSigned(text: string, locale: string): number | null {
  const plain = text.trim().replace('−', '-');
  const number = parseNumber(plain.replace(/^-/, ''), locale);
  return number !== null && plain.startsWith('-') ? -number : number;
}

/** What a person would type for a number: no separators between thousands. */
export function formatTyped(value: number, locale: string): string {
  return numberFormat(locale, { maximumFractionDigits: 6, useGrouping: false }).format(value);
}
