// The journeys of accounts: a technician comes, chooses a password, sees what a technician may, and is shut out again.
import { devices, expect, id, sent, shown, signInAs, test, type Page } from './fixtures';
import { another, fillSignIn, firstHeading, newName, OWN } from './persons';

const t = id.people.accounts;
const p = id.password;

/** An account made by the API, with its first password. */
async function made(admin: Page, name: string, role: string): Promise<string> {
  const answer = await admin.request.post('/api/v1/users', { data: { name, role } });
  expect(answer.status()).toBe(201);
  return ((await answer.json()) as { password: string }).password;
}

async function choose(page: Page, old: string, chosen: string): Promise<void> {
  await page.getByLabel(p.old, { exact: true }).fill(old);
  await page.getByLabel(p.new, { exact: true }).fill(chosen);
  const submit = page.getByRole('button', { name: p.submit });
  // What is too short is told without asking the server.
  if (chosen.length < 8) await submit.click();
  else await sent(page, '/api/v1/session/password', () => submit.click());
}

test('a technician is added, chooses a password, is offered what a technician may, and is shut out once disabled', async ({
  signedIn: page,
  browser,
  baseURL,
}, info) => {
  const name = newName();
  await page.goto('/users');
  await page.getByText(t.add, { exact: true }).click();
  await page.getByLabel(t.name, { exact: true }).fill('device');
  await page.getByRole('button', { name: t.submit, exact: true }).click();
  await expect(page.getByText(t.problem.name)).toBeVisible();
  await page.getByLabel(t.name, { exact: true }).fill(name);
  await page.getByText(id.people.roles.technician, { exact: true }).first().click();
  await page.getByRole('button', { name: t.submit, exact: true }).click();
  const once = page.locator(`[data-first-password="${name}"]`);
  const first = (await once.locator('[data-copy]').textContent()) ?? '';
  await expect(page.locator(`[data-user="${name}"]`)).toHaveAttribute('data-user-state', 'first');
  await shown(page, info, 'users');
  await once.getByRole('button', { name: id.common.close }).click();
  await expect(page.getByText(first)).toHaveCount(0);

  const tono = await another(browser, page, baseURL);
  await tono.goto('/alerts');
  await fillSignIn(tono, name, first);
  await expect(firstHeading(tono, p.choose)).toBeVisible();
  await expect(tono.getByRole('navigation')).toHaveCount(0);
  expect((await tono.request.get('/api/v1/devices')).status()).toBe(403);
  await choose(tono, first, 'pendek');
  await expect(tono.getByText(p.problem.short('6'))).toBeVisible();
  await choose(tono, 'bukan-yang-itu', OWN);
  await expect(tono.getByText(p.problem.oldWrong)).toBeVisible();
  await expect(tono.getByLabel(p.old, { exact: true })).toBeFocused();
  await choose(tono, first, OWN);
  await expect(firstHeading(tono, id.alerts.title)).toBeVisible();
  expect(new URL(tono.url()).pathname).toBe('/alerts');

  await tono.goto('/settings');
  await expect(tono.getByRole('link', { name: id.nav.thresholds, exact: true })).toBeVisible();
  for (const missing of [id.nav.audit, id.nav.enrolment, id.nav.users])
    await expect(tono.getByRole('link', { name: missing, exact: true })).toHaveCount(0);
  await tono.goto('/thresholds');
  await expect(firstHeading(tono, id.thresholds.title)).toBeVisible();
  await expect(tono.getByRole('link', { name: id.thresholds.make, exact: true })).toHaveCount(0);
  for (const path of ['/thresholds/edit', '/audit', '/enrolment', '/users']) {
    await tono.goto(path);
    await expect(tono.locator('[data-not-allowed]'), path).toContainText(id.people.roles.technician);
  }
  const orders = [
    tono.request.get('/api/v1/audit'),
    tono.request.put('/api/v1/thresholds', { data: {} }),
    tono.request.post('/api/v1/enrolment-tokens', { data: { uses: 1, valid_s: 60, note: '' } }),
    tono.request.patch(`/api/v1/users/${name}`, { data: { role: 'admin' } }),
  ];
  for (const answer of await Promise.all(orders)) {
    expect(answer.status(), answer.url()).toBe(403);
    expect(((await answer.json()) as { code: string }).code).toBe('forbidden');
  }
  await tono.getByRole('link', { name: id.device.toFleet }).click();
  await devices(tono);
  await expect(tono.locator('[data-connection="live"]').first()).toBeAttached();

  await page.reload();
  const row = page.locator(`[data-user="${name}"]`);
  await expect(row).toHaveAttribute('data-user-state', 'active');
  await row.getByRole('button', { name: t.changeNamed(name) }).click();
  await page.getByRole('dialog').getByRole('button', { name: t.disable }).click();
  await expect(row).toHaveAttribute('data-user-state', 'disabled');
  // The page that is open there is left without a hand.
  await expect(firstHeading(tono, id.signIn.title)).toBeVisible();
  await fillSignIn(tono, name, OWN);
  await expect(tono.getByRole('alert')).toContainText(id.signIn.wrong);
  await tono.close();
});

test('another role and another first password hold at once and end the sessions of the account', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = newName();
  const first = await made(page, name, 'technician');
  const person = await another(browser, page, baseURL);
  const session = async () => await person.request.get('/api/v1/session');
  await signInAs(person, name, first);

  await page.goto('/users');
  const row = page.locator(`[data-user="${name}"]`);
  const dialog = page.getByRole('dialog');
  await row.getByRole('button', { name: t.changeNamed(name) }).click();
  await dialog.getByText(id.people.roles.auditor, { exact: true }).click();
  await dialog.getByLabel(t.email, { exact: true }).fill(`${name}@kebun.example`);
  await dialog.getByRole('button', { name: t.save, exact: true }).click();
  await expect(row).toHaveAttribute('data-role', 'auditor');
  await expect(row).toContainText(`${name}@kebun.example`);
  expect((await session()).status()).toBe(401);

  await signInAs(person, `${name}@kebun.example`, first);
  expect(((await (await session()).json()) as { role: string }).role).toBe('auditor');
  await row.getByRole('button', { name: t.changeNamed(name) }).click();
  await dialog.getByRole('button', { name: t.reset }).click();
  const once = page.locator(`[data-first-password="${name}"]`);
  await expect(once.getByRole('heading')).toBeFocused();
  const next = (await once.locator('[data-copy]').textContent()) ?? '';
  expect(next).not.toBe(first);
  expect((await session()).status()).toBe(401);
  await signInAs(person, name, next);
  await page.request.patch(`/api/v1/users/${name}`, { data: { disabled: true } });
  await person.close();
});

test('an auditor reads the accounts and the log, and is offered nothing that changes anything', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = newName();
  const first = await made(page, name, 'auditor');
  const rini = await another(browser, page, baseURL);
  await signInAs(rini, name, first);
  await rini.goto('/users');
  await choose(rini, first, OWN);
  await expect(rini.locator(`[data-user="${name}"]`)).toHaveAttribute('data-role', 'auditor');
  await expect(rini.getByRole('main').getByRole('button')).toHaveCount(0);
  await expect(rini.locator('form')).toHaveCount(0);
  await rini.goto('/audit');
  await expect(rini.locator('[data-audit="user.created"]').first()).toContainText(name);
  for (const path of ['/enrolment', '/registry', '/alerts/silences', '/alerts/intake', '/waiting']) {
    await rini.goto(path);
    await expect(rini.getByRole('heading', { level: 1 }), path).toBeVisible();
    await expect(rini.locator('.skeleton')).toHaveCount(0);
    await expect(rini.locator('form'), path).toHaveCount(0);
  }
  await page.request.patch(`/api/v1/users/${name}`, { data: { disabled: true } });
  await rini.close();
});

test('a password changed from the profile ends the other sessions, not this one', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = newName();
  const first = await made(page, name, 'technician');
  const here = await another(browser, page, baseURL);
  const there = await another(browser, page, baseURL);
  await signInAs(here, name, first);
  await here.request.post('/api/v1/session/password', { data: { old: first, new: OWN } });
  await signInAs(there, name, OWN);

  await here.goto('/profile');
  await here.getByRole('main').getByRole('link', { name: p.change }).click();
  await expect(here.getByText(p.changeLead)).toBeVisible();
  await choose(here, OWN, name.repeat(3));
  await expect(here.getByText(p.problem.unfit)).toBeVisible();
  await choose(here, OWN, `${OWN}-sekali`);
  await expect(firstHeading(here, id.profile.title)).toBeVisible();
  await expect(here.getByText(p.done)).toBeVisible();
  expect((await here.request.get('/api/v1/devices')).status()).toBe(200);
  expect((await there.request.get('/api/v1/devices')).status()).toBe(401);
  await page.request.patch(`/api/v1/users/${name}`, { data: { disabled: true } });
  await here.close();
  await there.close();
});
