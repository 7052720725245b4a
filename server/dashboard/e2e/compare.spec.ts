// Several devices on one chart: chosen in the list or on the page, told apart without colours, kept in the address.
import { devices, expect, id, test } from './fixtures';

test('devices selected in the list are compared on one chart, and a removed one comes back', async ({
  signedIn: page,
}) => {
  await page.goto('/devices?show=online');
  const all = await devices(page);
  await expect(all.nth(1)).toBeVisible();
  const names = (
    await all.evaluateAll((rows) => rows.map((row) => row.getAttribute('data-device') ?? ''))
  ).slice(0, 2);
  for (const name of names) await page.locator(`[data-device="${name}"]`).getByRole('checkbox').check();
  await page.locator('[data-selection="2"]').getByRole('link', { name: id.devices.compare }).click();
  await expect(page.locator('[data-lines="2"] canvas')).toBeVisible();
  for (const name of names)
    await expect(page.locator(`[data-compared="${name}"] [data-value]`)).toHaveText(/\d|[A-Z]/);

  const [gone = '', left = ''] = names;
  await page.getByRole('button', { name: id.compare.remove(gone) }).click();
  await expect(page.locator(`[data-compared="${gone}"]`)).toHaveCount(0);
  await expect(page.locator(`[data-compared="${left}"]`)).toBeVisible();
  await page.getByRole('button', { name: id.compare.restored }).click();
  await expect(page.locator(`[data-compared="${gone}"]`)).toBeVisible();
});

test('a device is added by keyboard, and the address shows another person the same chart', async ({
  signedIn: page,
}) => {
  await page.goto('/devices?show=online');
  const name = (await (await devices(page)).first().getAttribute('data-device')) ?? '';
  await page.goto('/compare');
  await expect(page.getByText(id.compare.empty)).toBeVisible();
  const field = page.getByRole('combobox', { name: id.compare.add });
  await field.fill(name);
  await expect(page.locator(`[data-option="${name}"]`)).toBeVisible();
  await field.press('Enter');
  await expect(page.locator('[data-lines="1"] canvas')).toBeVisible();
  await page.getByRole('combobox', { name: id.compare.metric, exact: true }).selectOption('temperature');
  await page.getByText(id.device.ranges.h1, { exact: true }).click();
  await page.reload();
  await expect(page.locator('[data-lines="1"] canvas')).toBeVisible();
  const { searchParams } = new URL(page.url());
  expect(Object.fromEntries(searchParams)).toEqual({ devices: name, metric: 'temperature', range: 'h1' });
});
