// Owns other people than the admin of the tests: their browsers, how they sign in, how they come and go.
import type { Browser } from '@playwright/test';
import { expect, id, type Page } from './fixtures';

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
  await page.getByRole('button', { name: id.signIn.submit, exact: true }).click();
}

/** Signs a browser in without the form. */
export async function signIn(page: Page, user: string, password: string): Promise<void> {
  const answer = await page.request.post('/api/v1/session', { data: { user, password } });
  expect(answer.status(), `signing in as ${user}`).toBe(200);
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
