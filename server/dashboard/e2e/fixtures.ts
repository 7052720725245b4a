// Owns what all journeys share: a signed-in browser, and a page that may not break the security policy or throw.
import { test as base, expect, type Page, type TestInfo } from '@playwright/test';
import { en } from '../src/lib/i18n/en';
import { id } from '../src/lib/i18n/id';

export { en, expect, id };
export type { Page };

export const PASSWORD = process.env.TIRTA_PASSWORD ?? '';
export const USER = process.env.TIRTA_USER ?? 'admin';

/** An answer of the server, to the browser or to the test itself. */
interface Answer {
  status(): number;
  headers(): Record<string, string>;
}

/**
 * Asks again each time that the server says to wait, and for as long as it says: all journeys come from one address, those
 * who mistype their password included.
 */
async function patiently(page: Page, ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.status() !== 429) return answer;
    await page.waitForTimeout(Number(answer.headers()['retry-after']) * 1000);
  }
}

/** Signs a browser in without the form. */
export async function signInAs(page: Page, user: string, password: string): Promise<void> {
  const ask = () => page.request.post('/api/v1/session', { data: { user, password } });
  expect((await patiently(page, ask)).status(), `signing in as ${user}`).toBe(200);
}

/** Presses what sends a password to this path, as somebody does who waits when told to. */
export async function sent(page: Page, path: string, press: () => Promise<void>): Promise<void> {
  await patiently(page, async () => {
    const [answer] = await Promise.all([
      page.waitForResponse((a) => a.request().method() === 'POST' && new URL(a.url()).pathname === path),
      press(),
    ]);
    return answer;
  });
}

export const test = base.extend<{ signedIn: Page; noErrors: undefined }>({
  /** A page with a session of its own, without the sign-in form: tokens that two browsers share look stolen. */
  signedIn: async ({ page }, use) => {
    await signInAs(page, USER, PASSWORD);
    await use(page);
    await page.request.delete('/api/v1/session');
  },

  noErrors: [
    async ({ page }, use) => {
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) errors.push(message.text());
      });
      await use(undefined);
      expect(errors, 'errors in the page').toEqual([]);
    },
    { auto: true },
  ],
});

/** Takes the picture of a step for the documentation, if pictures are wanted. */
export async function shown(page: Page, info: TestInfo, step: string): Promise<void> {
  const folder = process.env.TIRTA_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/docs-${step}-${info.project.name}.png` });
}

/** The devices of the list, once there are any. */
export async function devices(page: Page) {
  const all = page.locator('[data-device]');
  await expect(all.first()).toBeVisible();
  return all;
}

/**
 * From the next load on, what the server tells of itself waits until `release`: what the page shows before the news
 * comes can be seen, however quick the news is.
 */
export async function heldBack(page: Page): Promise<{ hold(): void; release(): void }> {
  let holding = false;
  let waiting: (() => void)[] = [];
  await page.routeWebSocket('**/api/v1/live', (browser) => {
    const server = browser.connectToServer();
    server.onMessage((message) => {
      if (holding) waiting.push(() => browser.send(message));
      else browser.send(message);
    });
  });
  return {
    hold: () => (holding = true),
    release: () => {
      holding = false;
      for (const send of waiting) send();
      waiting = [];
    },
  };
}

/** The name of a device that is connected. */
export async function onlineDevice(page: Page): Promise<string> {
  await page.goto('/devices');
  await devices(page);
  const online = page.locator('[data-device]').filter({ has: page.locator('[data-state="online"]') });
  const name = await online.first().getAttribute('data-device');
  expect(name, 'a device that is online').not.toBeNull();
  return name ?? '';
}

/** Waits until the server has kept that in the profile: a request ends with its page. */
export async function kept(page: Page, wanted: Record<string, unknown>): Promise<void> {
  const profile = async (): Promise<unknown> => (await page.request.get('/api/v1/profile')).json();
  await expect.poll(profile).toMatchObject(wanted);
}

/** An alert of another system about a device, so that there is one at any hour. */
export async function anAlert(page: Page, device: string): Promise<number> {
  const name = `pompa-${Date.now().toString(36)}`;
  const made = await page.request.post('/api/v1/intake-tokens', { data: { name } });
  const { token } = (await made.json()) as { token: string };
  const answer = await page.request.post('/api/v1/webhooks/alerts', {
    headers: { authorization: `Bearer ${token}` },
    data: {
      key: 'pompa',
      state: 'firing',
      severity: 'critical',
      title: 'Pompa kering',
      metric: 'flow',
      device,
    },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  return ((await answer.json()) as { alert: number }).alert;
}
