// How every page looks: screenshots for people to judge, no serious finding of axe, nothing wider than the screen.
import AxeBuilder from '@axe-core/playwright';
import { boardThatWaits } from './boards';
import { expect, id, onlineDevice, test } from './fixtures';

const folder = process.env.TIRTA_SHOTS ?? 'test-results/shots';

/** A signal needs ten seconds to settle, a thermometer that fails meanwhile as many again, and the machine may be slow. */
const LIVE = { timeout: 120_000 };

for (const theme of ['light', 'dark'] as const) {
  test(`every page is clean and accessible in ${theme}`, async ({
    signedIn: page,
    browser,
    baseURL,
  }, info) => {
    test.setTimeout(360_000);
    await page.emulateMedia({ colorScheme: theme });
    const name = await onlineDevice(page);
    const check = async (what: string): Promise<void> => {
      await page.screenshot({ path: `${folder}/${what}-${info.project.name}-${theme}.png` });
      const found = await new AxeBuilder({ page }).analyze();
      const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        serious.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`),
        what,
      ).toEqual([]);
    };
    await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
    await check('fleet');
    await page.goto(`/devices/${name}`);
    await expect(page.locator('canvas').first()).toBeVisible();
    await check('device');
    await page.goto(`/devices/${name}/calibrations`);
    await expect(page.getByRole('heading', { name: id.calibration.recomputed.title })).toBeVisible();
    await check('calibrations');
    await page.goto(`/devices/${name}/calibrate/ph`);
    await expect(page.locator('form')).toBeVisible();
    await check('calibrate');
    await page.getByRole('button', { name: id.calibration.setup.begin }).click();
    // In a buffer: in its tank a signal does not settle while acid is dosed.
    await page.getByRole('button', { name: id.calibration.measure.inBuffer('7,00') }).click(LIVE);
    await expect(page.locator('[data-signal="settled"]')).toBeVisible(LIVE);
    await check('calibrating');
    await page.getByRole('button', { name: id.calibration.measure.cancel }).click();
    await page.getByRole('dialog').getByRole('button', { name: id.calibration.leave.leave }).click();
    await expect(page.locator('[data-screen="setup"]')).toBeVisible();
    await page.goto('/enrolment');
    await expect(page.locator('form')).toBeVisible();
    await check('enrolment');
    await page.goto('/registry');
    await expect(page.locator('form')).toBeVisible();
    await check('registry');
    const serial = await boardThatWaits(page);
    await page.goto('/waiting');
    await expect(page.locator(`[data-waiting="${serial}"]`)).toBeVisible();
    await expect(page.locator('[data-returns="closed"]')).toBeVisible();
    await check('waiting');
    await page.getByRole('button', { name: id.identity.waiting.approveNamed(serial) }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await check('approve');
    await page.goto('/claim');
    await expect(page.locator('form')).toBeVisible();
    await check('claim');
    await page.goto(`/claim?serial=${serial}`);
    await expect(page.locator(`[data-claim="${serial}"]`)).toContainText(id.claim.waits);
    await check('claim-place');
    await page.goto('/audit');
    await expect(page.locator('[data-audit]').first()).toBeVisible();
    await check('audit');
    await page.goto('/settings');
    await expect(page.locator('h1')).toBeVisible();
    await check('settings');

    const stranger = await browser.newPage({
      baseURL: baseURL ?? '',
      colorScheme: theme,
      ignoreHTTPSErrors: true,
      viewport: page.viewportSize(),
    });
    await stranger.goto('/');
    await expect(stranger.locator('form')).toBeVisible();
    await stranger.screenshot({ path: `${folder}/sign-in-${info.project.name}-${theme}.png` });
    await stranger.close();
  });
}

test('nothing is wider than a small phone', async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const name = await onlineDevice(page);
  const device = `/devices/${name}`;
  const paths = [
    '/',
    device,
    `${device}/calibrations`,
    `${device}/calibrate/ph`,
    '/enrolment',
    '/registry',
    '/waiting',
    '/claim',
    `/claim/${name}`,
    '/audit',
    '/settings',
  ];
  for (const path of paths) {
    await page.goto(path);
    await expect(page.locator('h1')).toBeVisible();
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, path).toBeLessThanOrEqual(0);
  }
});
