// The history: what was measured is found by time, device and status, drawn, and taken out as files that are whole.
import AxeBuilder from '@axe-core/playwright';
import { expect, id, onlineDevice, test } from './fixtures';
import { readFileSync } from 'node:fs';

const t = id.readings;

test('readings are found by device and metric, drawn, and the address shows another person the same', async ({
  signedIn: page,
}) => {
  const name = await onlineDevice(page);
  await page.goto('/history');
  await expect(page.getByRole('heading', { level: 1, name: t.title })).toBeVisible();
  const rows = page.locator('[data-reading]');
  await expect(rows.first()).toBeVisible();
  await expect(rows.first()).toContainText(id.fleet.simulated);
  // What is shown stands still: of a fleet that has just begun it is looked at anew.
  const more = page.getByRole('button', { name: t.list.more });
  await expect(async () => {
    await page.getByRole('button', { name: t.filter.refresh }).click();
    await expect(more).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await more.click();
  await expect.poll(() => rows.count()).toBeGreaterThan(50);

  const field = page.getByRole('combobox', { name: id.compare.add });
  await field.fill(name);
  await expect(page.locator(`[data-option="${name}"]`)).toBeVisible();
  await field.press('Enter');
  await expect(page.locator(`[data-chosen="${name}"]`)).toBeVisible();
  await page.getByRole('combobox', { name: t.filter.metric, exact: true }).selectOption('temperature');
  await expect(rows.filter({ hasNotText: id.metric.temperature })).toHaveCount(0);
  await expect(rows.first()).toContainText(name);

  await page.getByText(t.view.chart, { exact: true }).click();
  await expect(page.locator('[data-lines="1"] canvas')).toBeVisible();
  await expect(page.locator(`[data-line="${name}"]`)).toContainText(/\d/);
  await page.reload();
  await expect(page.locator('[data-lines="1"] canvas')).toBeVisible();
  const { searchParams } = new URL(page.url());
  expect(Object.fromEntries(searchParams)).toEqual({ devices: name, metric: 'temperature', view: 'chart' });
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
});

test('a table and an archive are taken out whole, and the page says how far they are', async ({
  signedIn: page,
}) => {
  const name = await onlineDevice(page);
  await page.goto(`/history?devices=${name}`);
  await expect(page.locator('[data-reading]').first()).toBeVisible();
  for (const [form, begins] of [
    ['csv', '\ufefftime_utc,time_local,device,'],
    ['zip', 'PK'],
  ] as const) {
    const download = page.waitForEvent('download');
    await page.locator(`[data-file="${form}"]`).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(new RegExp(`^tirta-\\d{4}-\\d\\d-\\d\\d-.*\\.${form}$`));
    const text = readFileSync(await file.path(), 'utf8');
    expect(text.startsWith(begins)).toBe(true);
    if (form === 'csv') expect(text).toContain(`,${name},`);
    else expect(text).toContain('manifest.json');
    await expect(
      page.locator('[data-export="done"]').filter({ hasText: form.toUpperCase() }).first(),
    ).toBeVisible();
  }
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
});

test('a period without anything says what to do, and one upside down is refused beside its field', async ({
  signedIn: page,
}) => {
  await page.goto('/history?period=own&from=1000000000000&to=1000000060000&status=fault');
  await expect(page.getByText(t.list.empty)).toBeVisible();
  await expect(page.getByText(t.files.none)).toBeVisible();
  await page.getByRole('button', { name: t.filter.reset }).click();
  await expect(page.locator('[data-reading]').first()).toBeVisible();
  await page.getByText(t.filter.periods.own, { exact: true }).click();
  const until = page.getByLabel(t.filter.to, { exact: true });
  await until.fill('2001-01-01T00:00');
  await until.blur();
  await expect(page.getByText(t.filter.order)).toBeVisible();
  await page.setViewportSize({ width: 360, height: 740 });
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond).toBeLessThanOrEqual(0);
});
