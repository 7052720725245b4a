// The journeys of sessions: work that goes on when an access token has expired, signing out from elsewhere, and a code at sign-in.
import AxeBuilder from '@axe-core/playwright';
import type { Browser, TestInfo } from '@playwright/test';
import { devices, expect, id, shown, signInAs, test, type Page } from './fixtures';
import { App } from './totp';

const t = id.security;
const OWN = 'lele-sehat-air-jernih';
const ACCESS = 'tirta_session';

interface Person {
  name: string;
  /** Another browser of this person, signed in. */
  browser(): Promise<Page>;
  /** A browser that is not. */
  stranger(): Promise<Page>;
  leave(): Promise<void>;
}

/** Somebody with an account of their own, who has chosen a password. */
async function person(admin: Page, browser: Browser, baseURL: string | undefined): Promise<Person> {
  const name = `sesi-${Date.now().toString(36)}`;
  const made = await admin.request.post('/api/v1/users', { data: { name, role: 'technician' } });
  expect(made.status()).toBe(201);
  const { password } = (await made.json()) as { password: string };
  const pages: Page[] = [];
  const stranger = async (): Promise<Page> => {
    const viewport = admin.viewportSize();
    // axe needs a context of its own; so does a person's browser.
    const context = await browser.newContext({
      baseURL: baseURL ?? '',
      ignoreHTTPSErrors: true,
      viewport,
      locale: 'id-ID',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    pages.push(page);
    return page;
  };
  const first = await stranger();
  await signInAs(first, name, password);
  const chosen = await first.request.post('/api/v1/session/password', { data: { old: password, new: OWN } });
  expect(chosen.status()).toBe(204);
  await first.request.delete('/api/v1/session');
  return {
    name,
    stranger,
    browser: async () => {
      const page = await stranger();
      await signInAs(page, name, OWN);
      return page;
    },
    leave: async () => {
      await admin.request.patch(`/api/v1/users/${name}`, { data: { disabled: true } });
      for (const page of pages) await page.context().close();
    },
  };
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
const access = async (page: Page): Promise<string | undefined> =>
  (await page.context().cookies()).find(({ name }) => name === ACCESS)?.value;

async function clean(page: Page, info: TestInfo, what: string): Promise<void> {
  const folder = process.env.TIRTA_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${what}-${info.project.name}.png`, fullPage: true });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(
    serious.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`),
    what,
  ).toEqual([]);
  const [inner, wide] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
  expect(wide, `${what} is not wider than the screen`).toBeLessThanOrEqual(inner ?? 0);
}

test('an access token that ends in the middle of work costs nothing: what was typed is sent, and the page stays live', async ({
  signedIn: page,
}) => {
  const name = `tengah-${Date.now().toString(36)}`;
  await page.goto('/users');
  await page.getByText(id.people.accounts.add, { exact: true }).click();
  await page.getByLabel(id.people.accounts.name, { exact: true }).fill(name);
  await page.context().clearCookies({ name: ACCESS });
  expect(await access(page)).toBeUndefined();
  await page.getByRole('button', { name: id.people.accounts.submit, exact: true }).click();
  await expect(page.locator(`[data-first-password="${name}"]`)).toBeVisible();
  await expect(page.locator(`[data-user="${name}"]`)).toBeVisible();
  await expect(heading(page, id.signIn.title)).toHaveCount(0);
  expect(await access(page)).toMatch(/^tirta_at_/);

  // A whole new visit without one, and what the page keeps open in the background.
  await page.context().clearCookies({ name: ACCESS });
  await page.goto('/devices');
  await devices(page);
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
  await page.request.patch(`/api/v1/users/${name}`, { data: { disabled: true } });
});

test('two tabs whose access token ends at once both go on', async ({ signedIn: page }) => {
  const other = await page.context().newPage();
  await Promise.all([page.goto('/thresholds'), other.goto('/alerts')]);
  await expect(heading(page, id.thresholds.title)).toBeVisible();
  await expect(heading(other, id.alerts.title)).toBeVisible();
  for (let round = 0; round < 3; round++) {
    await page.context().clearCookies({ name: ACCESS });
    await Promise.all([page.reload(), other.reload()]);
    await expect(heading(page, id.thresholds.title)).toBeVisible();
    await expect(heading(other, id.alerts.title)).toBeVisible();
  }
  await other.close();
});

test('a link to a file works with an access token that has ended', async ({ signedIn: page }) => {
  const range = { from: 90, to: 90, location: 'Kolam 9' };
  expect((await page.request.post('/api/v1/registrations/range', { data: range })).ok()).toBe(true);
  await page.goto('/registry');
  const link = page.getByRole('link', { name: id.registry.export, exact: true });
  await expect(link).toBeVisible();
  await page.context().clearCookies({ name: ACCESS });
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(file.suggestedFilename()).toBe('tirta-registry.csv');
  expect(await file.failure()).toBeNull();
});

test('somebody sees where they are signed in, ends one session and then all of them, from another browser', async ({
  signedIn: admin,
  browser,
  baseURL,
}, info) => {
  const sari = await person(admin, browser, baseURL);
  const [here, there, third] = [await sari.browser(), await sari.browser(), await sari.browser()];
  await there.goto('/');
  await third.goto('/');
  await expect(there.locator('[data-connection="live"]').first()).toBeAttached();
  await expect(third.locator('[data-connection="live"]').first()).toBeAttached();
  await here.goto('/profile');
  await here.getByRole('main').getByRole('link', { name: id.profile.security.sessions }).click();
  const rows = here.locator('[data-session]');
  await expect(rows).toHaveCount(3);
  await expect(rows.first()).toHaveAttribute('data-current', 'true');
  await expect(rows.first()).toContainText('Chrome');
  await shown(here, info, 'security');
  await clean(here, info, 'security');
  await rows.last().getByRole('button').click();
  await expect(rows).toHaveCount(2);
  await here.getByRole('button', { name: t.sessions.all }).click();
  await expect(heading(here, id.signIn.title)).toBeVisible();
  // Both pages are left without a hand.
  await expect(heading(there, id.signIn.title)).toBeVisible();
  await expect(heading(third, id.signIn.title)).toBeVisible();
  expect((await there.request.get('/api/v1/devices')).status()).toBe(401);
  await sari.leave();
});

test('a code is set up with the phone, asked for at sign-in, opens once, and can be taken away by an admin', async ({
  signedIn: admin,
  browser,
  baseURL,
}, info) => {
  const tono = await person(admin, browser, baseURL);
  const page = await tono.browser();
  await page.goto('/security');
  const card = page.locator('[data-factor]');
  await expect(card).toHaveAttribute('data-factor', 'off');
  await card.getByRole('button', { name: t.factor.begin }).click();
  await card.getByLabel(t.factor.password, { exact: true }).fill('bukan-yang-itu');
  await card.getByRole('button', { name: t.factor.go }).click();
  await expect(card.getByRole('alert')).toContainText(t.factor.passwordWrong);
  await card.getByLabel(t.factor.password, { exact: true }).fill(OWN);
  await card.getByRole('button', { name: t.factor.go }).click();
  await expect(card.getByRole('img', { name: t.factor.picture })).toBeVisible();
  await clean(page, info, 'security-set-up');
  const app = new App((await page.locator('[data-secret]').getAttribute('data-secret')) ?? '');
  await card.getByLabel(t.factor.code, { exact: true }).fill('12');
  await card.getByRole('button', { name: t.factor.confirm }).click();
  await expect(card.getByRole('alert')).toContainText(t.factor.codeWrong);
  await card.getByLabel(t.factor.code, { exact: true }).fill(app.next());
  await card.getByRole('button', { name: t.factor.confirm }).click();
  await expect(card.locator('[data-recovery-codes="10"]')).toBeVisible();
  await clean(page, info, 'security-codes');
  const recovery = ((await card.locator('[data-copy]').textContent()) ?? '').split('\n');
  expect(recovery).toHaveLength(10);
  await card.getByRole('button', { name: t.factor.kept }).click();
  await expect(card).toHaveAttribute('data-factor', 'on');

  const phone = await tono.stranger();
  const enter = async (code: string): Promise<void> => {
    await phone.getByLabel(t.signIn.code, { exact: true }).fill(code);
    await phone.getByRole('button', { name: id.signIn.submit, exact: true }).click();
  };
  const password = async (): Promise<void> => {
    await phone.goto('/settings');
    await phone.getByLabel(id.signIn.user).fill(tono.name);
    await phone.getByLabel(id.signIn.password, { exact: true }).fill(OWN);
    await phone.getByRole('button', { name: id.signIn.submit, exact: true }).click();
    await expect(phone.getByLabel(t.signIn.code, { exact: true })).toBeFocused();
  };
  await password();
  await clean(phone, info, 'sign-in-code');
  await enter('000000');
  await expect(phone.getByRole('alert')).toContainText(t.signIn.wrong);
  const code = app.next();
  await enter(code);
  await expect(heading(phone, id.settings.title)).toBeVisible();
  await phone.getByRole('main').getByRole('button', { name: id.settings.signOut }).click();
  await password();
  await enter(code);
  await expect(phone.getByRole('alert')).toContainText(t.signIn.wrong);
  await enter((recovery[0] ?? '').toUpperCase());
  await expect(heading(phone, id.settings.title)).toBeVisible();

  await admin.goto('/users');
  await admin
    .locator(`[data-user="${tono.name}"]`)
    .getByRole('button', { name: id.people.accounts.changeNamed(tono.name) })
    .click();
  await admin.getByRole('dialog').getByRole('button', { name: t.admin.remove }).click();
  await expect(admin.getByText(t.admin.removed(tono.name))).toBeVisible();
  await page.reload();
  await expect(card).toHaveAttribute('data-factor', 'off');
  await tono.leave();
});
