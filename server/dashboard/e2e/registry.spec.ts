// The registry: a spreadsheet is tried, corrected and imported, comes back out, and shows where devices stand.
import AxeBuilder from '@axe-core/playwright';
import { expect, id, onlineDevice, test, type Page } from './fixtures';

const t = id.registry;
const folder = process.env.TIRTA_SHOTS ?? 'test-results/shots';

async function choose(page: Page, text: string): Promise<void> {
  const buffer = Buffer.from(text, 'utf8');
  await page.locator('input[type=file]').setInputFiles({ name: 'armada.csv', mimeType: 'text/csv', buffer });
}

const line = (page: Page, number: number) => page.locator(`[data-line="${number}"]`);

test('a file with mistakes is explained line by line, and its correction is imported', async ({
  signedIn: page,
}, info) => {
  const first = 30_000 + Math.floor(Math.random() * 60_000);
  const [one, two] = [`pi-${first}`, `pi-${first + 1}`];
  await page.goto('/registry');
  await choose(page, `Nama;Lokasi;Lintang;Bujur;Harga\r\n${one};Kolam;-6,2;106,8;9\r\n${one};Kolam;x;;\r\n`);
  await expect(line(page, 2)).toContainText(t.problems.twice('3'));
  await expect(line(page, 3)).toContainText(t.problems.not_a_number('x'));
  await expect(page.getByText(t.unknownColumns('Harga'))).toBeVisible();
  await expect(page.getByText(t.refused)).toBeVisible();
  await expect(page.getByRole('button', { name: t.submit(0, '0') })).toBeDisabled();
  await page.screenshot({ path: `${folder}/registry-refused-${info.project.name}.png`, fullPage: true });
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(
    serious.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`),
  ).toEqual([]);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond).toBeLessThanOrEqual(0);

  await choose(page, `Nama;Lokasi;Lintang;Bujur\r\n${one};Kolam;-6,2;106,8\r\n${two};=Rumah kaca;;\r\n`);
  await expect(line(page, 3)).toHaveAttribute('data-verdict', 'created');
  await page.screenshot({ path: `${folder}/registry-${info.project.name}.png`, fullPage: true });
  await page.getByRole('button', { name: t.submit(2, '2') }).click();
  await expect(page.getByText(t.done('2'))).toBeVisible();
  await expect(line(page, 2)).toBeHidden();

  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: t.export }).click();
  const path = await (await download).path();
  await page.locator('input[type=file]').setInputFiles(path);
  await expect(page.getByText(t.nothing)).toBeVisible();
});

test('a file can be dropped, and what is no spreadsheet is said to be none', async ({ signedIn: page }) => {
  await page.goto('/registry');
  await page.locator('[data-drop]').evaluate((target) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['hello'], 'foto.csv', { type: 'text/csv' }));
    target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
  await expect(page.getByRole('alert')).toContainText('serial,name,location');
});

test('a range of names is reserved once', async ({ signedIn: page }) => {
  const first = 90_000 + Math.floor(Math.random() * 9_000);
  await page.goto('/registry');
  await page.getByLabel(t.from).fill(String(first));
  await page.getByLabel(t.to).fill(String(first - 1));
  await expect(page.getByRole('button', { name: t.reserve, exact: true })).toBeDisabled();
  await page.getByLabel(t.to).fill(String(first + 2));
  await page.getByLabel(t.location, { exact: true }).fill('Rumah kaca 3');
  await page.getByRole('button', { name: t.reserve, exact: true }).click();
  await expect(page.getByText(t.reserved('3'))).toBeVisible();
  await page.getByRole('button', { name: t.reserve, exact: true }).click();
  await expect(page.getByText(t.reserved('0'))).toBeVisible();
});

test('a device says where it stands, at once', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  await page.goto('/registry');
  const place = `Kolam ${Math.floor(Math.random() * 1_000_000)}`;
  await choose(page, `name,location\n${name},${place}\n`);
  await page.getByRole('button', { name: t.submit(1, '1') }).click();
  await expect(page.getByText(t.done('1'))).toBeVisible();
  await page.goto('/devices');
  await expect(page.locator(`[data-device="${name}"] [data-location]`).first()).toHaveText(place);
  await page.goto(`/devices/${name}`);
  await expect(page.locator('[data-location]').first()).toHaveText(place);
});
