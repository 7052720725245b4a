// The list of devices: they appear, they change live, they can be found, and a lost connection is told.
import { devices, expect, id, onlineDevice, test } from './fixtures';

const wanted = Number(process.env.TIRTA_DEVICES ?? 5);

test('all devices appear and their values change live', async ({ signedIn: page }) => {
  await page.goto('/devices');
  await devices(page);
  // Others may have been let in by other journeys and never come.
  const all = page.locator('[data-device]').filter({ has: page.locator('[data-state="online"]') });
  await expect(all).toHaveCount(wanted, { timeout: 90_000 });
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();

  const names = await all.evaluateAll((rows) => rows.map((row) => row.getAttribute('data-device') ?? ''));
  const read = (name: string) => page.locator(`[data-device="${name}"] [data-metric]`).allInnerTexts();
  const before = new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
  for (const name of names) {
    await expect(async () => {
      const values = (texts: string[] | undefined) => texts?.map((text) => text.split('\n')[0]);
      expect(values(await read(name)), `${name} changes`).not.toEqual(values(before.get(name)));
    }).toPass({ timeout: 45_000 });
  }
});

test('a device shows four metrics with unit and age, its state in words, and that it is simulated', async ({
  signedIn: page,
}) => {
  await page.goto('/devices');
  const first = (await devices(page)).first();
  for (const metric of ['ph', 'tds', 'temperature', 'volume']) {
    await expect(first.locator(`[data-metric="${metric}"] time`)).toBeVisible();
  }
  await expect(first.getByText(id.state.online)).toBeVisible();
  await expect(first.getByText(id.fleet.simulated)).toBeVisible();
  await expect(first.locator('[data-metric="temperature"] [data-value]')).toHaveText(/^\d+,\d$/);
});

test('search and filter narrow the list and stay in the address', async ({ signedIn: page }) => {
  await page.goto('/devices');
  const all = await devices(page);
  const name = (await all.last().getAttribute('data-device')) ?? '';
  await page.getByRole('searchbox').fill(name);
  await expect(all).toHaveCount(1);
  await page.reload();
  await expect(page.locator('[data-device]')).toHaveCount(1);
  await page.getByRole('searchbox').fill('no-such-device');
  await expect(page.getByText(id.fleet.noMatch)).toBeVisible();
  await page.getByRole('button', { name: id.fleet.reset }).click();
  await expect(page.locator('[data-device]').first()).toBeVisible();
});

test('an address of before, when the list was the front page, still shows the same list', async ({
  signedIn: page,
}) => {
  await page.goto('/?show=online&sort=attention');
  await devices(page);
  const { pathname, search } = new URL(page.url());
  expect(pathname + search).toBe('/devices?show=online&sort=attention');
  await expect(page.locator('[data-filter="online"] input')).toBeChecked();
});

test('the keyboard alone finds, opens and selects a device', async ({ signedIn: page }) => {
  await page.goto('/devices');
  const all = await devices(page);
  const names = await all.evaluateAll((rows) => rows.map((row) => row.getAttribute('data-device') ?? ''));
  const [first = '', second = ''] = names;
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(second);
  await expect(page.getByRole('searchbox')).toHaveValue(second);
  await page.getByRole('searchbox').fill('');
  const link = (name: string) =>
    page.locator(`[data-device="${name}"]`).getByRole('link', { name, exact: true });
  await link(first).focus();
  await page.keyboard.press('ArrowDown');
  await expect(link(second)).toBeFocused();
  await page.keyboard.press('Home');
  await expect(link(first)).toBeFocused();
  await page.keyboard.press('Space');
  await expect(page.locator('[data-selection="1"]')).toBeVisible();
  await expect(link(first)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: first })).toBeVisible();
});

test('a lost connection is told, and everything catches up when it is back', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  await page.goto(`/devices/${name}`);
  const settings = page.locator('[data-settings]');
  await expect(page.locator('canvas').first()).toBeVisible();
  const version = Number(await settings.getAttribute('data-version'));
  await page.context().setOffline(true);
  await expect(page.locator('[data-banner]')).toBeVisible();
  // What another person changes meanwhile: the page is cut off, this request is not the page's.
  const change = { data: { interval_ms: { ph: version % 2 === 0 ? 11_000 : 12_000 } } };
  const answer = await page.request.put(`/api/v1/devices/${name}/settings`, change);
  expect(answer.ok(), await answer.text()).toBe(true);
  await expect(settings, 'nothing comes through').toHaveAttribute('data-version', String(version));
  await page.context().setOffline(false);
  await expect(page.locator('[data-banner]')).toBeHidden();
  await expect(settings).toHaveAttribute('data-version', String(version + 1));
  await page.request.put(`/api/v1/devices/${name}/settings`, { data: { interval_ms: {} } });
});
