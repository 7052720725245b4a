// Owns the time of a report: a week, a month or days of one's own, by the site's calendar, and how it stands in the address. Pure.
import type { Span } from '$lib/api/client';
import { dayOf, wallOf } from '$lib/format/zone';

export const PERIODS = ['this-week', 'last-week', 'this-month', 'last-month', 'own'] as const;
export type PeriodName = (typeof PERIODS)[number];
export const USUAL: PeriodName = 'this-month';

export const periodOf = (word: string | null): PeriodName => PERIODS.find((each) => each === word) ?? USUAL;

/** As a date field says it, both days included. */
export interface Days {
  from: string;
  to: string;
}

/** The server gives no more at once. */
const LONGEST_MS = 400 * 86_400_000;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The time that is meant, or what is wrong with one's own. What is to come is no part of it. */
export function spanOf(period: PeriodName, days: Days, now: number): Span | 'empty' | 'order' | 'long' {
  if (period === 'own') return ownSpan(days, now);
  const { year, month, day } = wallOf(now);
  // Monday is 0.
  const weekday = (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
  const monday = day - weekday;
  const to = Math.floor(now);
  switch (period) {
    case 'this-week':
      return { from: dayOf(year, month, monday), to };
    case 'last-week':
      return { from: dayOf(year, month, monday - 7), to: dayOf(year, month, monday) };
    case 'this-month':
      return { from: dayOf(year, month, 1), to };
    case 'last-month':
      return { from: dayOf(year, month - 1, 1), to: dayOf(year, month, 1) };
  }
}

function ownSpan(days: Days, now: number): Span | 'empty' | 'order' | 'long' {
  const read = (text: string, more: number): number => {
    const [year, month, day] = (DATE.exec(text) ?? []).slice(1).map(Number);
    return year === undefined || !month || !day ? Number.NaN : dayOf(year, month, day + more);
  };
  const [from, to] = [read(days.from, 0), Math.min(read(days.to, 1), Math.floor(now))];
  if (Number.isNaN(from) || Number.isNaN(to)) return 'empty';
  if (from >= to) return 'order';
  return to - from > LONGEST_MS ? 'long' : { from, to };
}

/** What a date field shows of a time: its last day is the one before it ends. */
export function daysOf({ from, to }: Span): Days {
  const text = (time: number): string => {
    const { year, month, day } = wallOf(time);
    return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  };
  return { from: text(from), to: text(to - 1) };
}
