// Owns what a native field for date and time shows and says: the clock on the wall of the site, to the minute.
import { instantOf, wallOf } from './zone';

/** What `datetime-local` takes. */
export function localInput(time: number): string {
  const { year, month, day, hour, minute } = wallOf(time);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** What such a field says; NaN if it is empty. */
export function readInput(text: string): number {
  const [year, month, day, hour, minute] = (/^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(text) ?? [])
    .slice(1)
    .map(Number);
  if (year === undefined || !month || !day || hour === undefined || minute === undefined) return Number.NaN;
  return instantOf({ year, month, day, hour, minute });
}
