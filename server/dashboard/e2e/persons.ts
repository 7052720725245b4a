// Owns other people than the admin of the tests: their browsers, how they sign in, how they come and go.
import type { Browser } from '@playwright/test';
import { expect, id, sent, type Page } from './fixtures';

/** What they choose as their password. */
export const OWN = 'lele-sehat-air-jernih';

/** Nobody has had it before: the server of these tests lives through several runs. */
export const newName = (of = 'tono'): string => `${of}-${Date.now().toString(36)}`;

/** Another person's browser. */
export async function another(
  browser: Browser,
  page: Page,
  baseURL: string | undefined,
  locale = 'id-ID',
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: baseURL ?? '',
    ignoreHTTPSErrors: true,
    viewport: page.viewportSize(),
    locale,
    reducedMotion: 'reduce',
  });
  return await context.newPage();
}

export async function fillSignIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel(id.signIn.user).fill(user);
  await page.getByLabel(id.signIn.password, { exact: true }).fill(password);
  const submit = page.getByRole('button', { name: id.signIn.submit, exact: true });
  await sent(page, '/api/v1/session', () => submit.click());
}

/** Somebody of a role who has chosen the password OWN, invited and joined without a page. */
export async function person(admin: Page, name: string, role: string): Promise<void> {
  const invited = await admin.request.post('/api/v1/invitations', { data: { role } });
  expect(invited.status(), await invited.text()).toBe(201);
  const { secret } = (await invited.json()) as { secret: string };
  const joined = await admin.request.post('/api/v1/join', { data: { secret, name, password: OWN } });
  expect(joined.status(), await joined.text()).toBe(201);
}

export async function disabled(admin: Page, name: string): Promise<void> {
  await admin.request.patch(`/api/v1/users/${name}`, { data: { disabled: true } });
}

export const firstHeading = (page: Page, name: string) =>
  page.getByRole('heading', { level: 1, name, exact: true });
