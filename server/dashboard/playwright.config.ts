// Owns how the browser tests run: against a real server with devices, in the Chromium of this machine.
import { defineConfig } from '@playwright/test';

for (const name of ['TIRTA_URL', 'TIRTA_PASSWORD']) {
  if (!process.env[name]) {
    throw new Error(
      `${name} is not set. These tests drive a running server: start one with \`cargo xtask demo\`, then set ` +
        'TIRTA_URL to the address and TIRTA_PASSWORD to the password that it prints.',
    );
  }
}

// What moves is judged and pressed where it comes to rest.
const common = {
  locale: 'id-ID',
  timezoneId: 'Asia/Jakarta',
  contextOptions: { reducedMotion: 'reduce' },
  // What a test answers in the server's place must reach the page; the journeys of the application allow them.
  serviceWorkers: 'block',
} as const;

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // In turn, so that nothing disturbs anything; `cargo xtask test` gives each project a server of its own.
  workers: 1,
  fullyParallel: false,
  // What is waited for comes within moments on a quiet machine. On one of two cores where other things run it takes
  // many times that, and a simulated probe fails for eight seconds now and then: a wait that is long costs nothing.
  timeout: 240_000,
  // What one leaves behind the next may stumble over, each for as long as it may wait.
  maxFailures: 3,
  expect: { timeout: 45_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.TIRTA_URL ?? '',
    // The server's certificate is from its own authority.
    ignoreHTTPSErrors: true,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  projects: [
    {
      name: 'phone',
      use: { ...common, viewport: { width: 390, height: 844 }, hasTouch: true, deviceScaleFactor: 2 },
    },
    { name: 'desktop', use: { ...common, viewport: { width: 1440, height: 900 } } },
  ],
});
