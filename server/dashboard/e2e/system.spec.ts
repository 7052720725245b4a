// The journeys of an admin: the server's health and a back-up taken away, what each role may, a channel tried, limits kept as a preset.
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { adminId as admin } from '../src/lib/i18n/admin.id';
import { expect, id, shown, signInAs, test, type Page } from './fixtures';
import { another, disabled, firstHeading, newName, person, OWN } from './persons';

const t = admin.system;

async function sound(page: Page): Promise<void> {
  const scan = await new AxeBuilder({ page }).analyze();
  expect(scan.violations.map(({ id: rule, nodes }) => `${rule}: ${nodes[0]?.html}`)).toEqual([]);
}

test('the state of the server is told, and a back-up is made, read back and taken away', async ({
  signedIn: page,
}, info) => {
  await page.goto('/system');
  await expect(firstHeading(page, t.title)).toBeVisible();
  await expect(page.locator('[data-verdict]')).toBeVisible();
  await expect(page.locator('[data-fact="broker"]')).toContainText(`${t.embedded} · ${t.connected}`);
  await expect(page.locator('[data-fact="database"]')).toContainText(t.engines.sqlite);
  await expect(page.locator('[data-fact="intake"]')).toContainText(/\d per menit/);
  const before = await page.locator('[data-backup]').count();
  await page.getByRole('button', { name: t.backups.make, exact: true }).click();
  await expect(page.getByText(t.backups.done)).toBeVisible();
  await expect(page.locator('[data-backup]')).not.toHaveCount(before);
  await sound(page);
  await shown(page, info, 'system');

  const taken = page.waitForEvent('download');
  await page.locator('[data-backup] a').first().click();
  const file = await (await taken).path();
  expect((await readFile(file)).subarray(0, 15).toString()).toBe('SQLite format 3');
  await page.goto('/audit');
  await expect(page.locator('[data-audit="backup.taken"]').first()).toBeVisible();
});

test('what is wrong stands first with what to do about it', async ({ signedIn: page }, info) => {
  await page.route('**/api/v1/system', async (route) => {
    const answer = (await (await route.fetch()).json()) as Record<string, unknown>;
    const findings = [
      { level: 'critical', about: 'disk', trouble: 'disk_full' },
      { level: 'warning', about: 'clock', trouble: 'clock_unsynced' },
    ];
    await route.fulfill({ json: { ...answer, findings } });
  });
  await page.goto('/system');
  const first = page.locator('[data-trouble]').first();
  await expect(first).toHaveAttribute('data-trouble', 'disk_full');
  await expect(first).toContainText(t.troubles.disk_full.hint);
  await expect(page.locator('[data-fact="disk"]')).toContainText(t.troubles.disk_full.short);
  await sound(page);
  await shown(page, info, 'system-trouble');
});

test('the roles are shown as they are, also to a technician, who is not offered the server', async ({
  signedIn: page,
  browser,
  baseURL,
}, info) => {
  const name = newName();
  await person(page, name, 'technician');
  const tono = await another(browser, page, baseURL);
  await signInAs(tono, name, OWN);
  await tono.goto('/profile');
  await tono.getByRole('link', { name: id.profile.security.roles }).click();
  await expect(firstHeading(tono, t.roles.title)).toBeVisible();
  await expect(tono.locator('[data-role="technician"]')).toContainText(t.roles.you);
  const row = tono.locator('[data-permission="manage_server"]');
  await expect(row.locator('[data-may="yes"]')).toHaveCount(1);
  await row.locator('summary').click();
  await expect(row.getByText('GET /api/v1/backups/{id}')).toBeVisible();
  await sound(tono);
  await shown(tono, info, 'roles');
  await tono.goto('/system');
  await expect(tono.locator('[data-not-allowed]')).toBeVisible();
  await tono.close();
  await disabled(page, name);
});

test('a channel is tried and says what came of it', async ({ signedIn: page }, info) => {
  await page.goto('/alerts/channels');
  const mqtt = page.locator('[data-channel="mqtt"]');
  await mqtt.getByRole('button').click();
  await expect(mqtt.locator('[data-tested="true"]')).toHaveText(admin.channels.arrived);
  await sound(page);
  await shown(page, info, 'channels');
});

test('limits are kept as a preset, set by it, and stay when it is removed', async ({
  signedIn: page,
}, info) => {
  const p = admin.presets;
  const name = `Lele ${info.project.name} ${Date.now().toString(36)}`;
  await page.goto('/thresholds/edit?metric=tds&scope=fleet');
  await page.locator('[data-keep-preset] summary').click();
  await page.getByLabel(id.thresholds.form.high.warning, { exact: true }).fill('4321');
  await page.getByRole('button', { name: p.keepNow, exact: true }).click();
  await expect(page.getByText(p.missing).first()).toBeVisible();
  await page.getByLabel(p.name, { exact: true }).fill(name);
  await page.getByLabel(p.source, { exact: true }).fill('Pengukuran sendiri');
  await page.getByRole('button', { name: p.keepNow, exact: true }).click();
  await expect(page.getByText(p.kept(name))).toBeVisible();
  await expect(page.locator('#threshold-preset')).toHaveValue(/^own-/);

  await page.goto('/thresholds/presets');
  const card = page.locator('[data-presets="own"] [data-preset-card]').filter({ hasText: name });
  await expect(card).toContainText('4.321');
  await sound(page);
  await shown(page, info, 'presets');
  await card.getByRole('button', { name: p.removeNamed(name) }).click();
  await expect(page.getByText(p.removed(name))).toBeVisible();
  await expect(card).toHaveCount(0);
  await expect(page.locator('[data-preset-card="wastewater-class-1"]').getByRole('button')).toHaveCount(0);
});
