// Owns what stands in the cells of a report's tables, by language. Pure.
import type { Alert, Availability, Outage } from '$lib/api/alert-types';
import type { Exceedance, HeldLimit, ReportPer, StatisticsRow } from '$lib/api/reports';
import { causeWords, textOf } from '$lib/alert/words';
import { formatCount, formatValue, numberFormat } from '$lib/format/number';
import { formatDay, formatMonth, formatPeriod, formatShort, formatSpan } from '$lib/format/time';
import type { Dictionary } from '$lib/i18n/dictionary';
import type { ReportsText } from '$lib/i18n/reports.en';
import type { Language } from '$lib/i18n/index.svelte';
import { metricName } from '$lib/i18n/words';
import { distinctLimits } from './conclude';

export interface Cell {
  text: string;
  /** A second, smaller line. */
  sub?: string;
  /** How it is marked; the text says the same. */
  tone?: 'bad' | 'warn' | 'ok' | 'quiet';
}

export interface Line {
  key: string;
  /** The first cell names the row. */
  cells: Cell[];
}

export interface Speech {
  t: Dictionary;
  /** Of reports. */
  r: ReportsText;
  locale: string;
  language: Language;
}

const NOTHING: Cell = { text: '–', tone: 'quiet' };

export function percent(value: number | null, locale: string): string {
  if (value === null) return '–';
  // 99.97 % is not all of it.
  const digits = value >= 99.95 && value < 100 ? 2 : 1;
  return numberFormat(locale, { style: 'percent', maximumFractionDigits: digits }).format(value / 100);
}

const span = (ms: number, { locale }: Speech): Cell => (ms > 0 ? { text: formatSpan(ms, locale) } : NOTHING);

/** A value with its unit; pH has none beside its name. */
function value(
  number: number | null,
  { metric, unit }: { metric: string; unit: string },
  locale: string,
): string {
  if (number === null) return '–';
  const text = formatValue(number, metric, locale);
  return unit === 'pH' ? text : `${text} ${unit}`;
}

export function availabilityLine(row: Availability, speech: Speech): Line {
  const { t, r, locale } = speech;
  const share = row.availability_percent;
  const causes = Object.entries(row.causes).map(
    ([cause, count]) => `${causeWords(t, cause)} ${formatCount(count ?? 0, locale)}`,
  );
  return {
    key: row.device ?? row.location ?? '',
    cells: [
      { text: row.device ?? '', ...(row.location ? { sub: row.location } : {}) },
      share === null
        ? { text: r.availability.unknown, tone: 'quiet' }
        : { text: percent(share, locale), tone: share < 99 ? 'bad' : share < 99.9 ? 'warn' : 'ok' },
      row.outages > 0
        ? { text: formatCount(row.outages, locale), sub: causes.join(', ') }
        : { text: '0', tone: 'quiet' },
      span(row.out_ms, speech),
      span(row.longest_ms, speech),
      span(row.planned_ms, speech),
    ],
  };
}

function limitWords(limit: HeldLimit, row: Exceedance, { r, locale }: Speech): string {
  const words = r.exceeded;
  const of = [
    limit.warning === null ? '' : words.warning(value(limit.warning, row, locale)),
    limit.critical === null ? '' : words.critical(value(limit.critical, row, locale)),
  ];
  const whose = words.whose[limit.scope](formatCount(limit.version, locale));
  return `${of.filter(Boolean).join(', ')} (${whose})`;
}

export function exceededLine(row: Exceedance, speech: Speech): Line {
  const { t, r, locale } = speech;
  const words = r.exceeded;
  const some = row.episodes > 0;
  const marks = [
    row.ongoing ? words.ongoing : '',
    row.simulated > 0 ? words.simulated : '',
    row.by_hand > 0 ? words.byHand(formatCount(row.by_hand, locale)) : '',
  ].filter(Boolean);
  const parts = [
    row.critical_ms > 0 ? words.ofCritical(formatSpan(row.critical_ms, locale)) : '',
    row.unheard_ms > 0 ? words.unheard(formatSpan(row.unheard_ms, locale)) : '',
  ].filter(Boolean);
  const critical = row.critical_episodes > 0;
  return {
    key: `${row.device} ${row.metric} ${row.side}`,
    cells: [
      { text: row.device, ...(row.location ? { sub: row.location } : {}) },
      { text: metricName(t, row.metric), sub: words.side[row.side] },
      {
        text:
          distinctLimits(row.limits)
            .map((limit) => limitWords(limit, row, speech))
            .join('; ') || '–',
      },
      some
        ? {
            text: formatCount(row.episodes, locale),
            sub: [critical ? words.timesCritical(formatCount(row.critical_episodes, locale)) : '', ...marks]
              .filter(Boolean)
              .join(', '),
            tone: critical ? 'bad' : 'warn',
          }
        : { text: words.kept, tone: 'ok' },
      some ? { text: formatSpan(row.beyond_ms, locale), sub: parts.join(', ') } : NOTHING,
      row.longest_from === null
        ? NOTHING
        : { text: formatSpan(row.longest_ms, locale), sub: formatShort(row.longest_from, locale) },
      row.worst === null || row.worst_at === null
        ? NOTHING
        : { text: value(row.worst, row, locale), sub: formatShort(row.worst_at, locale) },
    ],
  };
}

/** The name of a part of the time. */
export function partName({ from, to }: { from: number; to: number }, per: ReportPer, locale: string): string {
  if (per === 'day') return formatDay(from, locale);
  if (per === 'month') return formatMonth(from, locale);
  return formatPeriod(from, to, locale);
}

export function statisticsLine(row: StatisticsRow, per: ReportPer, { t, locale }: Speech): Line {
  const extreme = (number: number | null, at: number | null): Cell =>
    number === null || at === null
      ? NOTHING
      : { text: value(number, row, locale), sub: formatShort(at, locale) };
  const plain = (number: number | null): Cell =>
    number === null ? NOTHING : { text: value(number, row, locale) };
  const part: Cell[] = per === 'whole' ? [] : [{ text: partName(row, per, locale) }];
  return {
    key: `${row.device} ${row.metric} ${row.from}`,
    cells: [
      { text: row.device, ...(row.location ? { sub: row.location } : {}) },
      { text: metricName(t, row.metric) },
      ...part,
      { text: formatCount(row.good + row.flagged, locale) },
      extreme(row.min, row.min_at),
      plain(row.p5),
      plain(row.median),
      plain(row.mean),
      plain(row.p95),
      extreme(row.max, row.max_at),
      plain(row.deviation),
    ],
  };
}

export function qualityLine(row: StatisticsRow, { t, r, locale }: Speech): Line {
  const words = r.quality;
  const count = (number: number, tone: Cell['tone']): Cell =>
    number === 0
      ? { text: '0', tone: 'quiet' }
      : { text: formatCount(number, locale), ...(tone ? { tone } : {}) };
  const share = row.coverage_percent;
  return {
    key: `${row.device} ${row.metric}`,
    cells: [
      { text: row.device, ...(row.location ? { sub: row.location } : {}) },
      { text: metricName(t, row.metric) },
      share === null
        ? NOTHING
        : {
            text: percent(share, locale),
            sub: words.expected(formatCount(row.expected ?? 0, locale)),
            tone: share < 90 ? 'bad' : share < 99 ? 'warn' : 'ok',
          },
      count(row.good, undefined),
      count(row.flagged, 'warn'),
      count(row.faults, 'bad'),
      count(row.calibrating, undefined),
      count(row.unsynced, 'warn'),
      row.simulated === 0
        ? { text: words.none, tone: 'quiet' }
        : {
            text: row.simulated === row.readings ? words.allOf : formatCount(row.simulated, locale),
            tone: 'warn',
          },
    ],
  };
}

export function outageLine(row: Outage, { t, r, locale }: Speech, now: number): Line {
  const until = row.ended_at;
  const when =
    until === null ? formatShort(row.started_at, locale) : formatPeriod(row.started_at, until, locale);
  return {
    key: String(row.id),
    cells: [
      { text: when },
      { text: row.device ?? t.outages.server, ...(row.location ? { sub: row.location } : {}) },
      { text: causeWords(t, row.cause) },
      {
        text: formatSpan((until ?? now) - row.started_at, locale),
        ...(until === null ? { sub: r.events.ongoing, tone: 'bad' as const } : {}),
      },
    ],
  };
}

export function alertLine(row: Alert, { t, locale, language }: Speech): Line {
  const when =
    row.resolved_at === null
      ? formatShort(row.since, locale)
      : formatPeriod(row.since, row.resolved_at, locale);
  return {
    key: String(row.id),
    cells: [
      { text: when },
      { text: textOf(row, language), tone: row.worst === 'critical' ? 'bad' : 'warn' },
      { text: t.alerts.state[row.state] },
    ],
  };
}
