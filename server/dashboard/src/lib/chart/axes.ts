// Owns the axes of every chart: their labels by language, their lines and type from the page's tokens.
import { formatTick } from '$lib/format/time';
import { numberFormat } from '$lib/format/number';
import { siteZone } from '$lib/format/zone';
import uPlot from 'uplot';

/** Days and hours of a time axis begin where those of the site do. */
export function tzDate(time: number): Date {
  const zone = siteZone();
  return zone ? uPlot.tzDate(new Date(time), zone) : new Date(time);
}

/** Colours come from the page's tokens; a canvas cannot read them by itself. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function axesOf(locale: string): uPlot.Axis[] {
  const axis = {
    stroke: token('--text-3'),
    font: `12px ${token('--font')}`,
    ticks: { show: false },
    grid: { stroke: token('--line'), width: 1 },
  };
  return [
    {
      ...axis,
      grid: { show: false },
      size: 28,
      space: 74,
      values: (_plot, splits, _axis, _space, step) => splits.map((time) => formatTick(time, step, locale)),
    },
    {
      ...axis,
      // As wide as its labels need; at least so wide that the charts of a device stand in line.
      size: (_plot, labels) =>
        Math.max(46, 14 + 7 * Math.max(0, ...(labels ?? []).map((text) => text.length))),
      gap: 6,
      space: 38,
      values: (_plot, splits, _axis, _space, step) => splits.map((value) => tick(value, step, locale)),
    },
  ];
}

/** As many decimals as the step between two labels needs. */
function tick(value: number, step: number, locale: string): string {
  const digits = Math.min(4, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return numberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}
