// Owns the uPlot instance of the chart that compares: a line for each device with its own colour, dashes and markers.
import { axesOf, token, tzDate } from '$lib/chart/axes';
import { rangeOf } from '$lib/chart/columns';
import { followTouch } from '$lib/chart/touch';
import { penOf, type Marker } from '$lib/fleet/compared';
import uPlot from 'uplot';
import { lonely, type Joined } from './join';

export interface LinesOptions {
  width: number;
  height: number;
  leastSpan: number;
  locale: string;
  /** The pens of the lines, by their place. */
  pens: readonly number[];
  onCursor: (index: number | null) => void;
}

interface Span {
  from: number;
  to: number;
}

/** Markers along a line are so many pixels apart, and each line begins a little later than the one before. */
const APART = 110;
const LATER = 27;
const SIZE = 4;

export class Lines {
  readonly #plot: uPlot;

  constructor(target: HTMLElement, data: Joined, span: Span, options: LinesOptions) {
    this.#plot = new uPlot(optionsOf(options), data as uPlot.AlignedData, target);
    this.update(data, span);
    followTouch(this.#plot);
  }

  update(data: Joined, span: Span): void {
    this.#plot.batch(() => {
      this.#plot.setData(data as uPlot.AlignedData, false);
      this.#plot.setScale('x', { min: span.from, max: span.to });
    });
  }

  resize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  destroy(): void {
    this.#plot.destroy();
  }
}

function optionsOf({ width, height, leastSpan, locale, pens, onCursor }: LinesOptions): uPlot.Options {
  const drawn = pens.map((place) => ({ ...penOf(place), stroke: token(penOf(place).colour) }));
  return {
    width,
    height,
    ms: 1,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: (_plot, from, to) => [from, to] },
      y: {
        range: (_plot, low, high) => (low === null || high === null ? [0, 1] : rangeOf(low, high, leastSpan)),
      },
    },
    axes: axesOf(locale),
    tzDate,
    series: [
      {},
      ...drawn.map(({ stroke, dash }) => ({
        stroke,
        width: 1.8,
        dash: dash as number[],
        points: {
          size: 5,
          fill: stroke,
          show: true,
          filter: (plot: uPlot, index: number, show: boolean) =>
            show === false ? null : lonely(plot.data[index] as Joined[1]),
        },
      })),
    ],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      draw: [(plot) => drawn.forEach(({ stroke, marker }, i) => mark(plot, i, stroke, marker))],
    },
  };
}

/** Markers at some of the points of a line: who sees no colours still sees which it is. */
function mark(plot: uPlot, place: number, colour: string, marker: Marker): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const [times, values] = [plot.data[0], plot.data[place + 1] ?? []];
  let next = bbox.left + ((LATER * (place + 1) * ratio) % (APART * ratio));
  ctx.save();
  ctx.fillStyle = colour;
  for (let i = 0; i < times.length; i += 1) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    const x = plot.valToPos(times[i] ?? 0, 'x', true);
    if (x < next || x > bbox.left + bbox.width) continue;
    shape(ctx, marker, x, plot.valToPos(value, 'y', true), SIZE * ratio);
    next = x + APART * ratio;
  }
  ctx.restore();
}

function shape(ctx: CanvasRenderingContext2D, marker: Marker, x: number, y: number, r: number): void {
  ctx.beginPath();
  if (marker === 'circle') ctx.arc(x, y, r, 0, 2 * Math.PI);
  else if (marker === 'square') ctx.rect(x - r, y - r, 2 * r, 2 * r);
  else {
    const points =
      marker === 'diamond'
        ? [
            [0, -1.35],
            [1.35, 0],
            [0, 1.35],
            [-1.35, 0],
          ]
        : [
            [0, -1.25],
            [1.2, 0.9],
            [-1.2, 0.9],
          ];
    for (const [dx, dy] of points as [number, number][]) ctx.lineTo(x + dx * r, y + dy * r);
    ctx.closePath();
  }
  ctx.fill();
}
