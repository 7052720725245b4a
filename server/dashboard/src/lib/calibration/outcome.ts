// Owns a calibration in words and numbers, the same for the result, the end and the history.
import type { Calibration, CalibrationPoint, ProbeHealth } from '$lib/api/types';
import { formatFixed, formatShortest } from '$lib/format/number';
import type { Dictionary } from '$lib/i18n/dictionary';
import { kindOf } from './kinds';

export interface Fact {
  name: string;
  value: string;
  unit: string;
}

/** What a calibration says, most important first; empty if there is none. */
export function factsOf(
  t: Dictionary,
  locale: string,
  metric: string,
  calibration: Calibration | null,
  health: ProbeHealth | null,
): Fact[] {
  const words = t.calibration.result;
  if (!calibration) return [];
  const number = (value: number, digits: number): string => formatFixed(value, digits, locale);
  if (calibration.kind === 'ph') {
    const { acid_percent: acid, base_percent: base } = calibration;
    const facts: Fact[] = [];
    if (health) {
      facts.push({ name: words.slope, value: number(health.slope_percent, 1), unit: '%' });
      facts.push({ name: words.offset, value: number(health.offset_mv, 1), unit: 'mV' });
    }
    // Two points give one slope for both sides.
    if (Math.abs(acid - base) > 0.05) {
      facts.push({ name: words.acid, value: number(acid, 1), unit: '%' });
      facts.push({ name: words.base, value: number(base, 1), unit: '%' });
    }
    return facts;
  }
  if (calibration.kind === 'cell') return [{ name: words.k, value: number(calibration.k, 3), unit: '' }];
  const { unit, digits } = kindOf(metric);
  const shift = { name: words.shift, value: signed(calibration.offset, digits + 1, locale), unit };
  const factor = { name: words.factor, value: number(calibration.slope, 4), unit: '' };
  return calibration.slope === 1 ? [shift] : [factor, shift];
}

const signed = (value: number, digits: number, locale: string): string =>
  (Number(value.toFixed(digits)) > 0 ? '+' : '') + formatFixed(value, digits, locale);

/** The known value of a point with the digits of its label, without a unit. */
export function nominalText(nominal: number, metric: string, locale: string): string {
  const { is, digits } = kindOf(metric);
  return is === 'ph' ? formatFixed(nominal, digits, locale) : formatShortest(nominal, locale);
}

/** "7,00 pH", but never "pH 7,00 pH": a buffer is called by its number alone. */
export function nominalLabel(nominal: number, metric: string, locale: string): string {
  const { is, unit } = kindOf(metric);
  const text = nominalText(nominal, metric, locale);
  return is === 'ph' || unit === '' ? text : `${text}\u00a0${unit}`;
}

/** What was measured at a point: "1.502,3 mV", "24,8 °C". */
export function pointParts(point: CalibrationPoint, locale: string): string[] {
  const parts = [`${formatFixed(point.millivolts, 1, locale)}\u00a0mV`];
  if (typeof point.celsius === 'number') parts.push(`${formatFixed(point.celsius, 1, locale)}\u00a0°C`);
  return parts;
}
