// The page of one device: charts that live, time ranges, and settings that wait until the device has them.
import { expect, heldBack, id, onlineDevice, test, type Page } from './fixtures';

/** How many pixels of a chart are painted: an empty canvas has next to none. */
async function ink(page: Page, metric: string): Promise<number> {
  return page.locator(`article[data-metric="${metric}"] canvas`).evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let painted = 0;
    for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) painted += 1;
    return painted;
  });
}

test('charts of all metrics are drawn, and follow the time range', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  await page.locator(`[data-device="${name}"]`).getByRole('link', { name, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  for (const metric of ['ph', 'tds', 'temperature', 'volume']) {
    await expect.poll(() => ink(page, metric), { message: `the chart of ${metric}` }).toBeGreaterThan(500);
  }
  for (const range of ['h1', 'h24', 'd7', 'd30'] as const) {
    await page.getByText(id.device.ranges[range], { exact: true }).first().click();
    await expect(page.locator('article[data-metric="ph"]')).toHaveAttribute('data-range', range);
    expect(new URL(page.url()).searchParams.get('range')).toBe(range);
  }
  await page.reload();
  await expect(page.locator('article[data-metric="ph"]')).toHaveAttribute('data-range', 'd30');
});

test('the present value on the device page changes live', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  await page.goto(`/devices/${name}`);
  const texts = () => page.locator('article[data-metric] .reading').allInnerTexts();
  await expect.poll(async () => (await texts()).length).toBeGreaterThanOrEqual(4);
  const before = await texts();
  await expect.poll(texts).not.toEqual(before);
});

test('a new interval waits for the device, then is applied, and can be undone', async ({
  signedIn: page,
}) => {
  // A device answers within moments, perhaps before the server has answered the page.
  const live = await heldBack(page);
  const name = await onlineDevice(page);
  // Until then, the page fetches everything, and with it what is held back.
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
  await page.locator(`[data-device="${name}"]`).getByRole('link', { name, exact: true }).click();
  const progress = page.locator('[data-settings]');
  await expect(progress).toHaveAttribute('data-settings', /untouched|applied/);
  const version = Number(await progress.getAttribute('data-version'));
  const select = page.getByLabel(id.metric.ph, { exact: true });
  const before = await select.inputValue();
  live.hold();
  await select.selectOption(before === '2000' ? '5000' : '2000');
  await page.getByRole('button', { name: id.interval.save }).click();
  await expect(progress).toHaveAttribute('data-version', String(version + 1));
  await expect(progress).toHaveAttribute('data-settings', 'waiting');
  // At once: what can be undone is offered for some seconds only.
  await page.getByRole('button', { name: id.common.undo }).click();
  await expect(progress).toHaveAttribute('data-version', String(version + 2));
  await expect(progress).toHaveAttribute('data-settings', 'waiting');
  await expect(select).toHaveValue(before);
  live.release();
  await expect(progress).toHaveAttribute('data-settings', 'applied');
  await expect(progress).toHaveAttribute('data-version', String(version + 2));
});

test('an interval out of bounds can not be saved', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  await page.goto(`/devices/${name}`);
  await page.getByLabel(id.metric.ph, { exact: true }).selectOption('typed');
  await page.getByLabel(id.interval.secondsOf(id.metric.ph)).fill('0,01');
  await expect(page.getByRole('button', { name: id.interval.save })).toBeDisabled();
  await page.getByRole('button', { name: id.interval.discard }).click();
  await expect(page.getByRole('button', { name: id.interval.save })).toBeHidden();
});

test('revoking asks for the name before it can be done', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  await page.goto(`/devices/${name}`);
  await page.getByRole('button', { name: id.revoke.open }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: id.revoke.confirm })).toBeDisabled();
  await dialog.getByLabel(id.revoke.typeName(name)).fill(name);
  await expect(dialog.getByRole('button', { name: id.revoke.confirm })).toBeEnabled();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('a device that does not exist is told, with a way back', async ({ signedIn: page }) => {
  await page.goto('/devices/pi-4711');
  await expect(page.getByText(id.device.notFound)).toBeVisible();
  await page.getByRole('link', { name: id.device.toFleet }).click();
  await expect(page.getByRole('heading', { level: 1, name: id.fleet.title })).toBeVisible();
});
