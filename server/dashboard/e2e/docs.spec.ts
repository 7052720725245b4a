// The page of the interface's description: it opens for a session, lists what there is, tries one, and asks no other host.
import { expect, test } from './fixtures';

test('the description opens offline, lists the operations and tries one', async ({
  signedIn: page,
  noErrors,
}) => {
  void noErrors;
  const asked = new Set<string>();
  const refused: string[] = [];
  page.on('request', (request) => asked.add(new URL(request.url()).origin));
  page.on('requestfailed', (request) => refused.push(request.url()));
  await page.goto('/docs');

  const operations = page.locator('.opblock-tag-section');
  await expect(operations.first()).toBeVisible();
  for (const tag of ['devices', 'readings', 'alerts', 'session', 'users'])
    await expect(page.locator(`#operations-tag-${tag}`)).toBeVisible();

  await page.locator('#operations-tag-devices').click();
  await page.locator('#operations-devices-listDevices .opblock-summary-control').click();
  const listed = page.locator('#operations-devices-listDevices');
  await listed.getByRole('button', { name: 'Execute' }).click();
  await expect(listed.locator('.live-responses-table td.response-col_status:not(.col_header)')).toContainText(
    '200',
  );
  await expect(listed.locator('.live-responses-table')).toContainText('pi-1');

  await page.getByRole('button', { name: 'Authorize' }).first().click();
  for (const scheme of ['session', 'access', 'key'])
    await expect(page.locator('.auth-container').filter({ hasText: scheme }).first()).toBeVisible();

  expect([...asked]).toEqual([new URL(page.url()).origin]);
  expect(refused).toEqual([]);
});

test('without a session the page says what it needs, and a secret that is none opens nothing', async ({
  page,
  noErrors,
}) => {
  void noErrors;
  await page.goto('/docs');
  await expect(page.getByRole('alert')).toBeVisible();
  await page.locator('#secret').fill('tirta_key_invented');
  await page.locator('#open').click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.locator('.opblock-tag-section')).toHaveCount(0);
});

test('the dashboard itself loads nothing of it', async ({ signedIn: page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto('/devices');
  await expect(page.locator('[data-device]').first()).toBeVisible();
  expect(asked.filter((url) => url.includes('/docs'))).toEqual([]);
});
