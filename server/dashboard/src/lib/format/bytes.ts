// Owns how sizes of files and disks are written: in the unit that leaves one to three digits before the comma.
import { numberFormat } from './number';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function formatBytes(bytes: number, locale: string): string {
  let [value, at] = [Math.max(0, bytes), 0];
  while (value >= 999.5 && at < UNITS.length - 1) [value, at] = [value / 1000, at + 1];
  return numberFormat(locale, {
    style: 'unit',
    unit: UNITS[at] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: at > 1 && value < 10 ? 1 : 0,
  }).format(value);
}
