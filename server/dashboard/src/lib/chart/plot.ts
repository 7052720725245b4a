// Owns the uPlot instance of a chart: its axes, band, line, fault marks and cursor. Knows no component.
import uPlot from 'uplot';
import { axesOf, token, tzDate } from './axes';
import { lonely, rangeOf, type Columns } from './columns';
import { followTouch } from './touch';

/** A line that a value shall not cross. */
export interface Limit {
  value: number;
  severity: 'warning' | 'critical';
}

export interface PlotOptions {
  width: number;
  height: number;
  colour: string;
  leastSpan: number;
  locale: string;
  syncKey: string;
  limits: readonly Limit[];
  onCursor: (index: number | null) => void;
}

const FAULT_HEIGHT = 9;
/** The place of the average among the columns. */
const AVERAGE = 3;

export class Plot {
  readonly #plot: uPlot;
  #faults: Columns['faults'] = [];
  #limits: readonly Limit[];

  constructor(
    target: HTMLElement,
    columns: Columns,
    span: { from: number; to: number },
    options: PlotOptions,
  ) {
    this.#faults = columns.faults;
    this.#limits = options.limits;
    this.#plot = new uPlot(this.#options(options), columns.data, target);
    this.update(columns, span, options.limits);
    followTouch(this.#plot);
  }

  update(columns: Columns, span: { from: number; to: number }, limits: readonly Limit[]): void {
    this.#faults = columns.faults;
    this.#limits = limits;
    this.#plot.batch(() => {
      this.#plot.setData(columns.data, false);
      this.#plot.setScale('x', { min: span.from, max: span.to });
    });
  }

  resize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #options(options: PlotOptions): uPlot.Options {
    const { width, height, colour, leastSpan, locale, syncKey } = options;
    const [ground, fault] = [token('--surface'), token('--bad')];
    const stroke = token(colour);
    return {
      width,
      height,
      ms: 1,
      // To the right, room for half of the last time.
      padding: [10, 20, 0, 0],
      legend: { show: false },
      scales: {
        // The window is given, whatever the data: an outage at its end must show as one.
        x: { time: true, range: (_plot, from, to) => [from, to] },
        y: {
          range: (_plot, low, high) =>
            low === null || high === null ? [0, 1] : rangeOf(low, high, leastSpan),
        },
      },
      axes: axesOf(locale),
      tzDate,
      series: [
        {},
        { stroke: 'transparent', points: { show: false } },
        { stroke: 'transparent', points: { show: false } },
        {
          stroke,
          width: 1.8,
          points: {
            size: 5,
            fill: stroke,
            // A reading between two gaps is a dot, or it would not be seen at all.
            show: true,
            filter: (plot, index, show) => {
              const [from, to] = plot.series[0]?.idxs ?? [0, -1];
              return show === false ? null : lonely(plot.data[index] ?? [], from, to);
            },
          },
        },
      ],
      bands: [{ series: [2, 1], fill: `${stroke}2e` }],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: syncKey },
        // Only the average carries a point; the edges of the band say enough by themselves.
        points: {
          size: 10,
          width: 2,
          stroke: (_plot, index) => (index === AVERAGE ? ground : 'transparent'),
          fill: (_plot, index) => (index === AVERAGE ? stroke : 'transparent'),
        },
      },
      hooks: {
        setCursor: [(plot) => options.onCursor(plot.cursor.idx ?? null)],
        draw: [
          (plot) => this.#drawLimits(plot, { warning: token('--warn'), critical: fault }),
          (plot) => this.#drawFaults(plot, fault),
        ],
      },
    };
  }

  /** A dashed line for a warning, a closer one for what is critical: not by colour alone. */
  #drawLimits(plot: uPlot, colours: Record<Limit['severity'], string>): void {
    const { ctx, bbox } = plot;
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.lineWidth = 1.4 * ratio;
    for (const { value, severity } of this.#limits) {
      const y = plot.valToPos(value, 'y', true);
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
      ctx.strokeStyle = colours[severity];
      ctx.setLineDash((severity === 'critical' ? [9, 3] : [4, 5]).map((length) => length * ratio));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** A red tick at the foot of the chart for each bucket with failed readings: seen, but no number. */
  #drawFaults(plot: uPlot, colour: string): void {
    const { ctx, bbox } = plot;
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.fillStyle = colour;
    for (const { time } of this.#faults) {
      const x = plot.valToPos(time, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.fillRect(x - ratio, bbox.top + bbox.height - FAULT_HEIGHT * ratio, 2 * ratio, FAULT_HEIGHT * ratio);
    }
    ctx.restore();
  }
}
