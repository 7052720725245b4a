// Owns what the benchmark draws: a series as the interface gives it becomes a chart, just as on the page of a device.
import { columnsOf } from '$lib/chart/columns';
import { Plot } from '$lib/chart/plot';
import type { Series } from '$lib/api/types';

const MINUTE = 60_000;
const [WIDTH, HEIGHT] = [1280, 176];
const END = 1_763_690_400_000;

/** So many buckets over a span of time, with a wave in it, some noise, failed readings and outages. */
export function seriesOf(points: number, spanMs: number): Series {
  const bucket = Math.max(MINUTE, spanMs / points);
  const all = Array.from({ length: points }, (_, i) => i).filter((i) => i % 1000 < 990);
  const time = all.map((i) => END - spanMs + i * bucket);
  const wave = all.map((i) => 7 + Math.sin(i / 40) * 0.6 + Math.sin(i * 12.9898) * 0.05);
  const failed = all.map((i) => (i % 400 === 0 ? 3 : 0));
  const seen = (value: number, i: number): number | null => (failed[i] ? null : value);
  return {
    device: 'pi-7',
    metric: 'ph',
    unit: 'pH',
    bucket_ms: bucket,
    time,
    min: wave.map((value, i) => seen(value - 0.1, i)),
    max: wave.map((value, i) => seen(value + 0.1, i)),
    avg: wave.map(seen),
    count: all.map(() => 6),
    faults: failed,
  } as unknown as Series;
}

function draw(series: Series, spanMs: number): void {
  const target = document.createElement('div');
  document.body.append(target);
  const span = { from: END - spanMs, to: END };
  const limits = [{ value: 7.4, severity: 'warning' as const }];
  const plot = new Plot(target, columnsOf(series), span, {
    width: WIDTH,
    height: HEIGHT,
    colour: '--ph',
    leastSpan: 1,
    locale: 'id-ID',
    syncKey: 'bench',
    limits,
    onCursor: () => undefined,
  });
  plot.destroy();
  target.remove();
}

/** Drawn by a timer's call, which is what the browser counts as scripting. Answers how long it took by the clock. */
const drawn = (series: Series, spanMs: number): Promise<number> =>
  new Promise((resolve) =>
    setTimeout(() => {
      const begun = performance.now();
      draw(series, spanMs);
      resolve(performance.now() - begun);
    }),
  );

Object.assign(globalThis, { bench: { seriesOf, drawn } });
