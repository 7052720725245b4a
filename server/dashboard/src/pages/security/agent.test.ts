// Checks that common browsers and programs are called what people call them, and that nothing unknown is invented.
import { expect, it } from 'vitest';
import { agentOf } from './agent';

const MOZILLA = 'Mozilla/5.0';
const LIKE = 'AppleWebKit/537.36 (KHTML, like Gecko)';

it.each([
  [
    `${MOZILLA} (Linux; Android 14; K) ${LIKE} Chrome/126.0.0.0 Mobile Safari/537.36`,
    'Chrome',
    'Android',
    'phone',
  ],
  [
    `${MOZILLA} (Linux; Android 13; K) ${LIKE} SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36`,
    'Samsung Internet',
    'Android',
    'phone',
  ],
  [
    `${MOZILLA} (iPhone; CPU iPhone OS 17_5 like Mac OS X) ${LIKE} Version/17.5 Mobile/15E148 Safari/604.1`,
    'Safari',
    'iPhone',
    'phone',
  ],
  [
    `${MOZILLA} (Windows NT 10.0; Win64; x64) ${LIKE} Chrome/126.0 Safari/537.36 Edg/126.0`,
    'Edge',
    'Windows',
    'computer',
  ],
  [
    `${MOZILLA} (Macintosh; Intel Mac OS X 14_5) ${LIKE} Version/17.5 Safari/605.1.15`,
    'Safari',
    'macOS',
    'computer',
  ],
  [`${MOZILLA} (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0`, 'Firefox', 'Linux', 'computer'],
  ['curl/8.5.0', 'curl', null, 'program'],
  ['tirta/0.1.0', 'tirta', null, 'program'],
] as const)('%s', (text, program, system, kind) => {
  expect(agentOf(text)).toEqual({ program, system, kind });
});

it('invents nothing', () => {
  for (const nothing of [null, '', '<img src=x>/1', `${'x'.repeat(99)}/1`])
    expect(agentOf(nothing)).toEqual({ program: null, system: null, kind: 'program' });
});
