// A day of a supervisor: a device waits and is let in, a limit is changed, an alert is given to somebody; accounts and the
// audit log stay closed.
import { boardThatWaits, newPlace } from './boards';
import { expect, id, test } from './fixtures';
import { another, disabled, fillSignIn, firstHeading, newName, OWN, person } from './persons';

const w = id.identity.waiting;
const form = id.thresholds.form;

test('a supervisor lets a device in, changes a limit, gives an alert to somebody, and sees neither accounts nor the log', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const name = newName('sari');
  await person(page, name, 'supervisor');
  const serial = await boardThatWaits(page);
  const source = `uji-${Date.now().toString(36)}`;
  const token = await page.request.post('/api/v1/intake-tokens', { data: { name: source } });
  const intake = (await token.json()) as { token: string; id: string };

  const sari = await another(browser, page, baseURL);
  await sari.goto('/waiting');
  await fillSignIn(sari, name, OWN);
  await expect(firstHeading(sari, w.title)).toBeVisible();
  await sari.getByRole('button', { name: w.approveNamed(serial) }).click();
  const dialog = sari.getByRole('dialog');
  const device = `uji-${serial.slice(-8)}`;
  await dialog.getByLabel(w.name, { exact: true }).fill(device);
  await dialog.getByLabel(w.location, { exact: true }).fill(newPlace());
  await dialog.getByRole('button', { name: w.submit }).click();
  await expect(sari.locator(`[data-waiting="${serial}"]`)).toHaveCount(0);

  await sari.goto('/thresholds');
  await expect(sari.getByRole('link', { name: id.thresholds.make, exact: true })).toBeVisible();
  await sari.goto(`/thresholds/edit?metric=ph&scope=device&target=${device}`);
  await sari.getByLabel(form.high.critical, { exact: true }).fill('8,5');
  await sari.getByRole('button', { name: form.save, exact: true }).click();
  await expect(sari.getByText(form.saved)).toBeVisible();
  await sari.goto('/thresholds');
  const own = sari.locator(`[data-thresholds="ph"] [data-threshold="device/${device}"]`);
  await expect(own).toContainText(id.thresholds.summary.above('8,5'));

  const reported = await sari.request.post('/api/v1/webhooks/alerts', {
    headers: { authorization: `Bearer ${intake.token}` },
    data: {
      key: 'pompa',
      state: 'firing',
      severity: 'warning',
      title: 'Pompa kering',
      metric: 'flow',
      device,
    },
  });
  expect(reported.status(), await reported.text()).toBe(200);
  const { alert } = (await reported.json()) as { alert: number };
  await sari.goto(`/alerts/${alert}`);
  await sari.getByRole('button', { name: id.alerts.act.assign, exact: true }).click();
  await dialog.getByLabel(id.alerts.act.assignee, { exact: true }).fill('admin');
  await dialog.locator('button.primary').click();
  await expect(dialog).toHaveCount(0);
  const kept = await sari.request.get(`/api/v1/alerts/${alert}`);
  expect(((await kept.json()) as { alert: { assignee: string } }).alert.assignee).toBe('admin');

  await sari.goto('/settings');
  for (const place of [id.nav.users, id.nav.audit])
    await expect(sari.getByRole('link', { name: place, exact: true })).toHaveCount(0);
  for (const path of ['/users', '/audit']) {
    await sari.goto(path);
    await expect(sari.locator('[data-not-allowed]'), path).toContainText(id.people.roles.supervisor);
  }
  for (const path of ['users', 'audit', 'invitations', 'sign-ups'])
    expect((await sari.request.get(`/api/v1/${path}`)).status(), path).toBe(403);
  await page.request.delete(`/api/v1/intake-tokens/${intake.id}`);
  await disabled(page, name);
  await sari.close();
});
