// What a chart costs: a year drawn in Chromium, in milliseconds of scripting as the browser itself counts them. It holds the year
// against a day, drawn in the same run: what a machine is able to do cancels out. The last line is one line of JSON.
//   npm run bench
import { chromium } from '@playwright/test';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DAY = 86_400_000;
const TRIES = 7;
/** As many points as the chart has pixels is what the interface is asked for; raw is each minute of a year. */
const CASES = [
  { name: 'day', points: 1_280, span: DAY },
  { name: 'year', points: 1_280, span: 365 * DAY },
  { name: 'raw', points: 525_600, span: 365 * DAY },
];
/** How many times the day's cost a case may have. */
const MOST = { year: 3, raw: 40 };

async function program() {
  const [output] = [
    await build({
      configFile: false,
      logLevel: 'error',
      plugins: [svelte()],
      resolve: { alias: { $lib: here('../../src/lib') } },
      build: { write: false, lib: { entry: here('./chart.ts'), name: 'b', formats: ['iife'] } },
    }),
  ].flat();
  return output.output.find(({ type }) => type === 'chunk').code;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.setContent('<html><body></body></html>');
  await page.addScriptTag({ content: await program() });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const scripting = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'ScriptDuration').value * 1_000;
  };

  const costs = Object.fromEntries(CASES.map(({ name }) => [name, []]));
  // In turn, so that none has the warmer browser; the first round is of one that has not seen the code before.
  for (let round = 0; round <= TRIES; round += 1)
    for (const { name, points, span } of CASES) {
      const series = await page.evaluateHandle(([p, s]) => globalThis.bench.seriesOf(p, s), [points, span]);
      const before = await scripting();
      const clock = await series.evaluate((all, s) => globalThis.bench.drawn(all, s), span);
      // What the browser counts, or the clock should it count less: a chart is not free because nobody looked.
      if (round > 0) costs[name].push(Math.max((await scripting()) - before, clock));
      await series.dispose();
    }
  const cost = Object.fromEntries(CASES.map(({ name }) => [name, median(costs[name])]));
  const ratios = Object.fromEntries(Object.keys(MOST).map((name) => [name, cost[name] / cost.day]));
  const short = (all) => Object.fromEntries(Object.entries(all).map(([k, v]) => [k, Number(v.toFixed(2))]));
  const good = Object.entries(MOST).every(([name, most]) => ratios[name] <= most);
  for (const { name, points } of CASES)
    process.stdout.write(`${name}: ${points} points, ${cost[name].toFixed(1)} ms of scripting\n`);
  process.stdout.write(
    `${JSON.stringify({ bench: 'chart', scripting_ms: short(cost), times_a_day: short(ratios), most: MOST, good })}\n`,
  );
  if (!good) process.exitCode = 1;
} finally {
  await browser.close();
}
