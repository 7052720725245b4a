// Owns how instants, ages and durations are written, by language and in the time zone of the site.
import { numberFormat } from './number';
import { siteZone, wallOf, zoneName } from './zone';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const dates = new Map<string, Intl.DateTimeFormat>();

function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const zone = siteZone();
  const key = locale + (zone ?? '') + JSON.stringify(options);
  let format = dates.get(key);
  if (!format)
    dates.set(
      key,
      (format = new Intl.DateTimeFormat(locale, { ...options, ...(zone ? { timeZone: zone } : {}) })),
    );
  return format;
}

export type Age =
  { fresh: true } | { fresh: false; count: number; unit: 'second' | 'minute' | 'hour' | 'day' };

/** An age in its largest whole unit. Below ten seconds it is simply fresh: numbers that tick for no reason disturb. */
export function ageOf(time: number, now: number): Age {
  const age = Math.max(0, now - time);
  if (age < 10 * SECOND) return { fresh: true };
  if (age < MINUTE) return { fresh: false, count: Math.floor(age / SECOND), unit: 'second' };
  if (age < HOUR) return { fresh: false, count: Math.floor(age / MINUTE), unit: 'minute' };
  if (age < DAY) return { fresh: false, count: Math.floor(age / HOUR), unit: 'hour' };
  return { fresh: false, count: Math.floor(age / DAY), unit: 'day' };
}

/** "12s", "3 mnt": short enough for a table cell. */
export function formatAge(age: Age & { fresh: false }, locale: string): string {
  return numberFormat(locale, { style: 'unit', unit: age.unit, unitDisplay: 'narrow' }).format(age.count);
}

/** "12 hari yang lalu", "yesterday": for a sentence about something that was days ago. */
export function formatAgo(time: number, now: number, locale: string): string {
  const age = ageOf(time, now);
  const [count, unit] = age.fresh ? ([0, 'second'] as const) : ([age.count, age.unit] as const);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-count, unit);
}

/** "dalam 12 hari", "in 3 hours", or how long ago: for an instant on either side of now. */
export function formatRelative(time: number, now: number, locale: string): string {
  if (time <= now) return formatAgo(time, now, locale);
  const ahead = ageOf(now, time);
  const [count, unit] = ahead.fresh ? ([0, 'second'] as const) : ([ahead.count, ahead.unit] as const);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(count, unit);
}

/** A duration such as a sampling interval, in the unit that needs no fraction. */
export function formatDuration(ms: number, locale: string, unitDisplay: 'short' | 'long' = 'short'): string {
  const [size, unit] =
    ms >= DAY && ms % DAY === 0
      ? ([DAY, 'day'] as const)
      : ms >= HOUR && ms % HOUR === 0
        ? ([HOUR, 'hour'] as const)
        : ms >= MINUTE && ms % MINUTE === 0
          ? ([MINUTE, 'minute'] as const)
          : ([SECOND, 'second'] as const);
  return numberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits: 3 }).format(
    ms / size,
  );
}

/** An instant in full with the zone that it is told in, for details and tooltips. */
export function formatInstant(time: number, locale: string): string {
  const text = dateFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }).format(time);
  return `${text} ${zoneName(time, locale)}`;
}

/** The day alone, where the hour says nothing. */
export function formatDay(time: number, locale: string): string {
  return dateFormat(locale, { dateStyle: 'medium' }).format(time);
}

/** The day with its name, for the head of a document. */
export function formatLongDay(time: number, locale: string): string {
  return dateFormat(locale, { dateStyle: 'full' }).format(time);
}

/** The name of a month, for a narrow column. */
export function formatMonth(time: number, locale: string): string {
  return dateFormat(locale, { month: 'short' }).format(time);
}

/** Day and minute, for lists. */
export function formatShort(time: number, locale: string): string {
  return dateFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(
    time,
  );
}

/** From one instant to another, without saying the day twice. */
export function formatPeriod(from: number, to: number, locale: string): string {
  return dateFormat(locale, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).formatRange(from, to);
}

/** The label of a chart's time axis, as fine as the step between labels asks for. */
export function formatTick(time: number, stepMs: number, locale: string): string {
  if (stepMs >= DAY) return dateFormat(locale, { day: 'numeric', month: 'short' }).format(time);
  const { hour, minute } = wallOf(time);
  if (hour === 0 && minute === 0 && stepMs >= HOUR)
    return dateFormat(locale, { day: 'numeric', month: 'short' }).format(time);
  const seconds = stepMs < MINUTE ? ({ second: '2-digit' } as const) : {};
  return dateFormat(locale, { hour: '2-digit', minute: '2-digit', ...seconds }).format(time);
}

/** The instant under the cursor of a chart: to the second and without the day where the range is short. */
export function formatCursor(time: number, bucketMs: number, locale: string): string {
  if (bucketMs >= MINUTE) return formatShort(time, locale);
  return dateFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(time);
}

const PARTS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
] as const;

/** "2 h 5 m": how long something lasted, in its two largest units. */
export function formatSpan(ms: number, locale: string): string {
  const at = PARTS.findIndex(([, size]) => ms >= size);
  const first = at < 0 ? PARTS.length - 1 : at;
  let rest = Math.max(0, ms);
  const texts = PARTS.slice(first, first + 2).map(([unit, size], i) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    // Seconds that tick beside minutes disturb, and say nothing.
    if (i > 0 && (count === 0 || unit === 'second')) return '';
    return numberFormat(locale, { style: 'unit', unit, unitDisplay: 'narrow' }).format(count);
  });
  return texts.filter(Boolean).join(' ');
}
