// The map: it needs nobody else's server, its marks open by mouse and key, and a supervisor says on it where a device stands.
import AxeBuilder from '@axe-core/playwright';
import { expect, id, shown, test, type Page } from './fixtures';

const t = id.map;
type Place = readonly [number, number] | null;

/** Says where the devices that are connected stand, the first ones at these places and the others nowhere. Their names. */
async function stand(page: Page, places: readonly Place[]): Promise<string[]> {
  const answer = await page.request.get('/api/v1/devices');
  const { devices } = (await answer.json()) as {
    devices: { name: string; state: string; latitude: number | null }[];
  };
  const names = devices.filter(({ state }) => state === 'online').map(({ name }) => name);
  for (const { name } of devices) {
    const [latitude, longitude] = places[names.indexOf(name)] ?? [null, null];
    const put = await page.request.patch(`/api/v1/devices/${name}`, { data: { latitude, longitude } });
    expect(put.ok(), await put.text()).toBe(true);
  }
  expect(names.length).toBeGreaterThanOrEqual(places.length);
  return names;
}

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return bad.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

test('the map asks nobody but this server, and says whose outline it shows', async ({
  signedIn: page,
}, info) => {
  const origins = new Set<string>();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  const [name] = await stand(page, [
    [-6.9, 107.6],
    [-7.45, 112.72],
    [-5.01, 119.57],
  ]);
  await page.goto('/map');
  await expect(page.locator('path.land.home')).toBeAttached();
  await expect(page.locator(`[data-pin="${name}"]`)).toBeVisible();
  await expect(page.getByText(t.outline)).toBeVisible();
  await shown(page, info, 'map');
  expect([...origins]).toEqual([new URL(page.url()).origin]);
});

test('a mark opens by its key what is known of its device, and Escape leads back', async ({
  signedIn: page,
}) => {
  const [name = ''] = await stand(page, [
    [-6.9, 107.6],
    [-7.45, 112.72],
  ]);
  await page.goto('/map');
  const mark = page.locator(`[data-pin="${name}"]`);
  await expect(mark).toHaveAccessibleName(new RegExp(`^${name}, .*${t.simulated}`));
  await mark.focus();
  await page.keyboard.press('Enter');
  const sheet = page.locator('[data-sheet]');
  await expect(sheet.getByRole('heading', { name })).toBeFocused();
  await expect(sheet.locator('[data-metric="ph"]')).toBeVisible();
  expect(new URL(page.url()).searchParams.get('device')).toBe(name);
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await expect(mark).toBeFocused();
  // The list says the same.
  await page.locator(`[data-listed="${name}"] .row`).click();
  await sheet.getByRole('link', { name: id.claim.open }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
});

test('devices that would cover each other are one mark, which opens into them', async ({
  signedIn: page,
}) => {
  const [first, second] = await stand(page, [
    [-6.9, 107.6],
    [-6.9003, 107.6],
    [-5.01, 119.57],
  ]);
  await page.goto('/map');
  const cluster = page.locator('[data-cluster="2"]');
  await cluster.click();
  await expect(page.locator(`[data-pin="${first}"]`)).toBeVisible();
  await expect(page.locator(`[data-pin="${second}"]`)).toBeVisible();
  await page.getByRole('button', { name: t.fit, exact: true }).click();
  await expect(cluster).toBeVisible();
});

test('somebody says where a device stands, and takes it back', async ({ signedIn: page }, info) => {
  const [placed = '', name = ''] = await stand(page, [[-6.9, 107.6]]);
  await page.goto('/map');
  await expect(page.locator(`[data-pin="${placed}"]`)).toBeVisible();
  const put = page.getByRole('button', { name: t.putNamed(name), exact: true });
  await put.click();
  const question = page.locator(`[data-placing="${name}"]`);
  await question.getByLabel(t.typed).fill('di tepi sungai');
  await question.getByRole('button', { name: t.go }).click();
  await expect(question.getByRole('alert')).toContainText(t.typedWrong);
  await question.getByLabel(t.typed).fill('-7.44780, 112.71830');
  await question.getByRole('button', { name: t.go }).click();
  await expect(question).toContainText(t.at('-7,44780; 112,71830'));
  await shown(page, info, 'map-place');
  expect(await serious(page)).toEqual([]);
  await question.getByRole('button', { name: t.save }).click();
  await expect(page.locator(`[data-pin="${name}"]`)).toBeVisible();
  await expect(page.locator('[data-sheet]').getByRole('heading', { name })).toBeVisible();
  const stored = await page.request.get(`/api/v1/devices/${name}`);
  expect(await stored.json()).toMatchObject({ latitude: -7.4478, longitude: 112.7183 });
  await page.getByRole('button', { name: id.common.undo }).click();
  await expect(put).toBeVisible();
  await expect(page.locator(`[data-pin="${name}"]`)).toHaveCount(0);
});

test('what is shown stands in the address, and fits a small phone', async ({ signedIn: page }) => {
  const names = await stand(page, [
    [-6.9, 107.6],
    [-5.01, 119.57],
  ]);
  await page.goto(`/map?q=${names[0]}`);
  await expect(page.locator('[data-on-map="1"]')).toBeVisible();
  await page.locator('[data-show="offline"]').click();
  expect(new URL(page.url()).searchParams.get('show')).toBe('offline');
  await expect(page.locator(`[data-pin="${names[0]}"]`)).toHaveCount(0);
  await page.getByRole('button', { name: id.fleet.reset }).click();
  await expect(page.locator('[data-on-map="2"]')).toBeVisible();
  await page.setViewportSize({ width: 360, height: 740 });
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond).toBeLessThanOrEqual(0);
});

for (const theme of ['light', 'dark'] as const)
  test(`axe finds nothing serious on the map in ${theme}`, async ({ signedIn: page }) => {
    const [name] = await stand(page, [
      [-6.9, 107.6],
      [-6.9003, 107.6],
      [-5.01, 119.57],
    ]);
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(`/map?device=${name}`);
    await expect(page.locator('[data-sheet] [data-metric="ph"]')).toBeVisible();
    expect(await serious(page)).toEqual([]);
  });
