// A probe is calibrated, beside the tank and with wet hands: the whole way there, leaving on the way, and back again.
import { expect, id, onlineDevice, test, type Page } from './fixtures';

const words = id.calibration;
/** A real signal needs its ten seconds to settle, a thermometer that fails meanwhile costs as many again, and the machine may be slow. */
const SETTLED = { timeout: 120_000 };

async function begin(page: Page, lot = ''): Promise<string> {
  const name = await onlineDevice(page);
  await page.goto(`/devices/${name}`);
  await page
    .locator('[data-probe="ph"]')
    .getByRole('link', { name: words.probe.startNamed(id.metric.ph) })
    .click();
  await expect(page.getByRole('heading', { level: 1, name: words.title(id.metric.ph) })).toBeVisible();
  await page.getByLabel(words.setup.lot).fill(lot);
  await page.getByRole('button', { name: words.setup.begin }).click();
  await expect(page.locator('[data-screen="measure"]')).toBeVisible();
  await expect(page.getByRole('button', { name: words.measure.inBuffer('7,00') })).toBeEnabled(SETTLED);
  return name;
}

async function take(page: Page, label: string): Promise<void> {
  await page.getByRole('button', { name: words.measure.inBuffer(label) }).click();
  await expect(page.getByRole('heading', { name: words.measure.holding(label) })).toBeVisible();
  await expect(page.getByRole('button', { name: words.measure.remove(label) })).toBeVisible(SETTLED);
}

async function end(page: Page): Promise<void> {
  await page.getByRole('button', { name: words.measure.cancel }).click();
  await page.getByRole('dialog').getByRole('button', { name: words.leave.leave }).click();
  await expect(page.locator('[data-screen="setup"]')).toBeVisible();
}

test('a probe is calibrated with two buffers, stands in the history, and is undone', async ({
  signedIn: page,
}) => {
  test.setTimeout(600_000);
  const lot = `uji ${Date.now()}`;
  const name = await begin(page, lot);
  await expect(page.getByText(id.fleet.simulated)).toBeVisible();
  await expect(page.getByRole('button', { name: words.measure.result })).toBeDisabled();
  await take(page, '7,00');
  await expect(page.getByText(words.measure.missing(1, '1'))).toBeVisible();
  await take(page, '4,00');
  await expect(page.getByText(words.measure.more)).toBeVisible();
  await page.getByRole('button', { name: words.measure.result }).click();
  await expect(page.locator('[data-verdict]')).toBeVisible();
  await page.getByRole('button', { name: words.result.save }).click();

  await expect(page.getByRole('heading', { name: words.done.title })).toBeVisible(SETTLED);
  await expect(page.locator('[data-record="stored"]')).toBeVisible(SETTLED);
  await page.reload();
  await expect(page.locator('[data-record="stored"]')).toBeVisible(SETTLED);
  await page.getByRole('link', { name: words.done.device }).click();
  await expect(page.locator('[data-probe="ph"]')).toContainText(/slope \d+ %, ofset -?\d+ mV/);

  await page.getByRole('link', { name: words.probe.historyNamed(id.metric.ph) }).click();
  const row = page.locator('[data-record]').filter({ hasText: lot });
  await expect(row.locator('[data-active]')).toBeVisible();
  await expect(row).toContainText(/7,00.*mV/s);
  await row.getByRole('button', { name: words.undo.open }).click();
  await page.getByRole('dialog').getByRole('button', { name: words.undo.confirm }).click();
  await expect(row.locator('s')).toBeVisible();
  await expect(row.locator('[data-active]')).toBeHidden();
  expect(new URL(page.url()).pathname).toBe(`/devices/${name}/calibrations`);
});

test('a reload goes on with the same calibration, and a point can be removed again', async ({
  signedIn: page,
}) => {
  test.setTimeout(600_000);
  await begin(page);
  await take(page, '10,01');
  const address = page.url();
  expect(new URL(address).searchParams.get('session')).toMatch(/^[0-9a-f]{16}$/);
  await page.reload();
  await expect(page.getByRole('button', { name: words.measure.remove('10,01') })).toBeVisible(SETTLED);
  expect(page.url()).toBe(address);
  await page.getByRole('button', { name: words.measure.remove('10,01') }).click();
  await expect(page.getByText(words.measure.noPoints)).toBeVisible(SETTLED);
  await end(page);
});

test('the back button asks first: staying stays, leaving cancels and leads back', async ({
  signedIn: page,
}) => {
  test.setTimeout(600_000);
  const name = await begin(page);
  const address = page.url();
  await page.goBack();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: words.leave.stay }).click();
  await expect(dialog).toBeHidden();
  expect(page.url()).toBe(address);
  await page.goBack();
  await dialog.getByRole('button', { name: words.leave.leave }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe(`/devices/${name}`);
  // What was cancelled is over for whoever still has its address.
  await page.goto(address);
  await expect(page.getByRole('button', { name: words.ended.again })).toBeVisible(SETTLED);
});

test('a calibration that is begun elsewhere ends this one, and can be gone on with there', async ({
  signedIn: page,
}) => {
  test.setTimeout(600_000);
  const name = await begin(page);
  const other = await page.context().newPage();
  await other.goto(`/devices/${name}/calibrate/ph`);
  await expect(other.getByRole('link', { name: words.setup.join })).toBeVisible(SETTLED);
  await other.getByRole('button', { name: words.setup.begin }).click();
  await expect(other.getByRole('button', { name: words.measure.inBuffer('7,00') })).toBeEnabled(SETTLED);
  await expect(page.getByRole('heading', { name: words.ended.title })).toBeVisible(SETTLED);
  await page.getByRole('button', { name: words.ended.again }).click();
  await expect(page.locator('[data-screen="setup"]')).toBeVisible();
  await end(other);
});
