// The journeys of people who come: by an invitation on a phone, or by asking; and of what they like, which comes along.
import AxeBuilder from '@axe-core/playwright';
import jsQR from 'jsqr';
import { devices, en, expect, id, shown, signInAs, test, type Page } from './fixtures';
import { another, disabled, fillSignIn, firstHeading, newName, OWN, person } from './persons';

const t = id.newcomers;
const folder = process.env.TIRTA_SHOTS ?? 'test-results/shots';

/** A picture for people to judge, in both themes, and no serious finding of axe. */
async function judged(page: Page, what: string): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme);
    await page.screenshot({
      path: `${folder}/${what}-${page.viewportSize()?.width}-${theme}.png`,
      fullPage: true,
    });
    const found = await new AxeBuilder({ page }).analyze();
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(
      serious.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`),
      `${what} ${theme}`,
    ).toEqual([]);
  }
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond, `${what} is wider than the screen`).toBeLessThanOrEqual(0);
}

/** What the code on the screen says to a camera. */
async function scanned(page: Page): Promise<string> {
  const url = `data:image/png;base64,${(await page.locator('[data-qr]').screenshot()).toString('base64')}`;
  const picture = await page.evaluate(async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), {
      width: image.width,
      height: image.height,
    });
    const context = canvas.getContext('2d');
    context?.drawImage(image, 0, 0);
    const data = context?.getImageData(0, 0, image.width, image.height).data ?? [];
    return { data: [...data], width: image.width, height: image.height };
  }, url);
  return jsQR(Uint8ClampedArray.from(picture.data), picture.width, picture.height)?.data ?? '';
}

test('an admin invites, the technician joins on a phone of 360 px and is in, in their language', async ({
  signedIn: page,
  browser,
  baseURL,
}, info) => {
  const name = newName();
  await page.goto('/users');
  await page.getByText(id.people.roles.technician, { exact: true }).first().click();
  await page.getByLabel(t.invite.name, { exact: true }).fill('Pak Tono');
  await judged(page, 'invite');
  await page.getByRole('button', { name: t.invite.submit }).click();
  const once = page.locator('[data-invitation-made="technician"]');
  const link = (await once.locator('[data-copy]').textContent()) ?? '';
  expect(link).toMatch(/\/join#tirta_iv_[\w-]{32}$/);
  expect(await scanned(page)).toBe(link);
  const whatsapp = await once.getByRole('link', { name: t.invite.whatsapp }).getAttribute('href');
  expect(decodeURIComponent(whatsapp ?? '')).toContain(link);
  await judged(page, 'invited');
  await shown(page, info, 'invited');
  await once.getByRole('button', { name: id.common.close }).click();
  await expect(page.getByText(link)).toHaveCount(0);
  const listed = page.locator('[data-invitation]').filter({ hasText: 'Pak Tono' });
  await expect(listed.first()).toBeVisible();

  const tono = await another(browser, page, baseURL, 'en-GB');
  await tono.setViewportSize({ width: 360, height: 740 });
  const asked: string[] = [];
  tono.on('request', (request) => asked.push(request.url()));
  await tono.goto(new URL(link).pathname + new URL(link).hash);
  await expect(tono.locator('[data-offered="technician"]')).toContainText('Pak Tono');
  // The phone speaks English; the person does not.
  await expect(firstHeading(tono, en.newcomers.join.title)).toBeVisible();
  await tono.getByText('Indonesia', { exact: true }).click();
  await expect(firstHeading(tono, t.join.title)).toBeVisible();
  await expect(tono.getByLabel(t.join.name, { exact: true })).toHaveValue('pak-tono');
  await judged(tono, 'join');
  await tono.getByLabel(t.join.name, { exact: true }).fill('admin');
  await tono.getByLabel(t.join.password, { exact: true }).fill('pendek');
  await tono.getByRole('button', { name: t.join.submit }).click();
  await expect(tono.getByText(id.password.problem.short('6'))).toBeVisible();
  await tono.getByLabel(t.join.password, { exact: true }).fill(OWN);
  await tono.getByRole('button', { name: t.join.submit }).click();
  await expect(tono.getByText(t.join.nameTaken)).toBeVisible();
  await expect(tono.getByLabel(t.join.name, { exact: true })).toBeFocused();
  await tono.getByLabel(t.join.name, { exact: true }).fill(name);
  await tono.getByRole('button', { name: t.join.submit }).click();
  await devices(tono);
  expect(new URL(tono.url()).pathname + new URL(tono.url()).hash).toBe('/devices');
  expect(asked.filter((url) => url.includes('tirta_iv_'))).toEqual([]);
  await expect(tono.locator('html')).toHaveAttribute('lang', 'id');

  // Chosen before there was an account, and yet it came along.
  const next = await another(browser, page, baseURL, 'en-GB');
  await signInAs(next, name, OWN);
  await next.goto('/profile');
  await expect(firstHeading(next, id.profile.title)).toBeVisible();
  await next.goto(new URL(link).pathname + new URL(link).hash);
  await expect(firstHeading(next, t.join.signedIn(name))).toBeVisible();
  await next.getByRole('button', { name: t.join.leave }).click();
  await expect(next.locator('[data-join="invitation_used"]')).toBeVisible();
  await judged(next, 'join-used');

  await page.reload();
  await expect(page.locator(`[data-user="${name}"]`)).toHaveAttribute('data-role', 'technician');
  await expect(page.locator(`[data-user="${name}"]`)).toContainText('Pak Tono');
  await disabled(page, name);
  await tono.close();
  await next.close();
});

test('an invitation that is withdrawn lets nobody in', async ({ signedIn: page, browser, baseURL }) => {
  const who = newName('Bu');
  const made = await page.request.post('/api/v1/invitations', { data: { role: 'auditor', name: who } });
  const { secret } = (await made.json()) as { secret: string };
  await page.goto('/users');
  const listed = page.locator('[data-invitation]').filter({ hasText: who });
  await listed.getByRole('button', { name: t.list.withdrawNamed(who) }).click();
  await listed.getByRole('button', { name: t.list.withdraw, exact: true }).click();
  await expect(listed).toHaveCount(0);
  const late = await another(browser, page, baseURL);
  await late.goto(`/join#${secret}`);
  await expect(late.locator('[data-join="invitation_withdrawn"]')).toBeVisible();
  await late.goto('/join#tirta_iv_salah');
  await expect(late.locator('[data-join="unknown_invitation"]')).toBeVisible();
  await late.close();
});

test('who asks for an account waits, is told so, and is in when an admin has said yes', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = newName('sari');
  await page.goto('/users');
  await expect(firstHeading(page, id.people.accounts.title)).toBeVisible();
  const sari = await another(browser, page, baseURL);
  await sari.goto('/');
  await sari.getByRole('link', { name: t.signUp.offer }).click();
  await expect(firstHeading(sari, t.signUp.title)).toBeVisible();
  await judged(sari, 'sign-up');
  await sari.getByRole('button', { name: t.signUp.submit, exact: true }).click();
  await expect(sari.getByText(t.signUp.nameMissing)).toBeVisible();
  await sari.getByLabel(t.signUp.displayName, { exact: true }).fill('Bu Sari');
  await sari.getByLabel(t.join.name, { exact: true }).fill(name);
  await sari.getByLabel(t.join.password, { exact: true }).fill(OWN);
  await sari.getByRole('button', { name: t.signUp.submit, exact: true }).click();
  await expect(sari.locator(`[data-asked="${name}"]`)).toBeVisible();
  await judged(sari, 'asked');
  await sari.getByRole('link', { name: t.join.toSignIn }).click();
  await fillSignIn(sari, name, OWN);
  await expect(sari.getByRole('alert')).toContainText(t.signUp.waits);

  // By itself: nobody reloads the page.
  const asking = page.locator(`[data-sign-up="${name}"]`);
  await expect(asking).toContainText('Bu Sari');
  // On a phone both are behind the last tab, which tells of boards first.
  await expect(page.locator('[data-badge-of="users"], [data-badge-of="waiting"]').first()).toBeVisible();
  await judged(page, 'asking');
  await asking.getByRole('button', { name: t.asking.approveNamed(name) }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(id.people.roles.auditor, { exact: true }).click();
  await judged(page, 'approve-person');
  await dialog.getByRole('button', { name: t.asking.confirm, exact: true }).click();
  await expect(asking).toHaveCount(0);
  await expect(page.locator(`[data-user="${name}"]`)).toHaveAttribute('data-role', 'auditor');
  await fillSignIn(sari, name, OWN);
  await devices(sari);
  await disabled(page, name);
  await sari.close();

  const other = newName('budi');
  const wish = { name: other, password: OWN, display_name: 'Budi' };
  await expect(async () => {
    // The address of the tests asks often.
    expect((await page.request.post('/api/v1/sign-up', { data: wish })).status()).toBe(202);
  }).toPass({ timeout: 90_000 });
  const refused = page.locator(`[data-sign-up="${other}"]`);
  await refused.getByRole('button', { name: t.asking.refuseNamed(other) }).click();
  await refused.getByRole('button', { name: t.asking.refuse, exact: true }).click();
  await expect(refused).toHaveCount(0);
});

test('appearance, language and what is heard come along to another browser', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = newName('rini');
  await person(page, name, 'technician');
  const here = await another(browser, page, baseURL);
  await signInAs(here, name, OWN);
  await here.goto('/profile');
  await expect(here.locator(`[data-profile="${name}"]`)).toBeVisible();
  await judged(here, 'profile');
  await here.getByText('English', { exact: true }).click();
  await expect(firstHeading(here, en.profile.title)).toBeVisible();
  await here.getByText(en.settings.themes.dark, { exact: true }).click();
  await here.getByRole('checkbox', { name: en.alerts.severity.warning }).uncheck();
  await here.getByRole('group', { name: en.profile.heard.quiet }).getByText(en.alerts.settings.on).click();
  await here.getByLabel(en.profile.heard.from, { exact: true }).fill('21:30');
  await here.getByLabel(en.profile.heard.from, { exact: true }).blur();
  await here.getByLabel(en.profile.person.displayName, { exact: true }).fill('Bu Rini');
  await here.getByLabel(en.profile.person.email, { exact: true }).fill('rini');
  await here.getByRole('button', { name: en.profile.person.save, exact: true }).click();
  await expect(here.getByText(en.profile.person.emailWrong)).toBeVisible();
  await here.getByLabel(en.profile.person.email, { exact: true }).fill(`${name}@kebun.example`);
  await here.getByRole('button', { name: en.profile.person.save, exact: true }).click();
  await expect(here.getByText(en.profile.person.saved, { exact: true })).toBeVisible();

  const there = await another(browser, page, baseURL);
  await there.goto('/profile');
  await fillSignIn(there, `${name}@kebun.example`, OWN);
  await expect(firstHeading(there, en.profile.title)).toBeVisible();
  await expect(there.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(there.getByLabel(en.profile.person.displayName, { exact: true })).toHaveValue('Bu Rini');
  await expect(there.getByLabel(en.profile.heard.from, { exact: true })).toHaveValue('21:30');
  await expect(there.getByRole('checkbox', { name: en.alerts.severity.warning })).not.toBeChecked();
  await expect(there.getByRole('checkbox', { name: en.alerts.severity.critical })).toBeChecked();
  // And it is dark from the first paint on the next visit.
  await there.goto('/', { waitUntil: 'commit' });
  await expect(there.locator('html')).toHaveAttribute('data-theme', 'dark');
  await disabled(page, name);
  await here.close();
  await there.close();
});
