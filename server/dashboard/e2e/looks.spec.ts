// How pages look in the middle of something: a dialog, a choice, a refusal. Screenshots for people to judge, and no serious finding
// of axe. As they come, every-page.spec.ts looks at all of them.
import AxeBuilder from '@axe-core/playwright';
import { boardThatWaits } from './boards';
import { anAlert, en, expect, id, onlineDevice, signInAs, test, type Page } from './fixtures';

const folder = process.env.TIRTA_SHOTS ?? 'test-results/shots';

/** A signal needs ten seconds to settle, a thermometer that fails meanwhile as many again, and the machine may be slow. */
const LIVE = { timeout: 120_000 };

test('what pages open is clean and accessible in light and in dark', async ({
  signedIn: page,
  browser,
  baseURL,
}, info) => {
  test.setTimeout(900_000);
  const name = await onlineDevice(page);
  const check = async (what: string, looked: Page = page): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await looked.emulateMedia({ colorScheme });
      await expect(looked.locator('html')).toHaveAttribute('data-theme', colorScheme);
      await looked.screenshot({ path: `${folder}/${what}-${info.project.name}-${colorScheme}.png` });
      const found = await new AxeBuilder({ page: looked }).analyze();
      const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        serious.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`),
        `${what} in ${colorScheme}`,
      ).toEqual([]);
    }
  };
  await page.goto(`/compare?metric=temperature&devices=${name}&range=m15`);
  await expect(page.locator('canvas')).toBeVisible();
  await page.getByRole('combobox', { name: id.compare.add }).focus();
  await expect(page.locator('[data-option]').first()).toBeVisible();
  await check('compare-chooser');
  await page.goto(`/devices/${name}/calibrate/ph`);
  await expect(page.locator('form')).toBeVisible();
  await page.getByRole('button', { name: id.calibration.setup.begin }).click();
  // In a buffer: in its tank a signal does not settle while acid is dosed.
  await page.getByRole('button', { name: id.calibration.measure.inBuffer('7,00') }).click(LIVE);
  await expect(page.locator('[data-signal="settled"]')).toBeVisible(LIVE);
  await check('calibrating');
  await page.getByRole('button', { name: id.calibration.measure.cancel }).click();
  await page.getByRole('dialog').getByRole('button', { name: id.calibration.leave.leave }).click();
  await expect(page.locator('[data-screen="setup"]')).toBeVisible();
  const serial = await boardThatWaits(page);
  await page.goto('/waiting');
  await expect(page.locator(`[data-waiting="${serial}"]`)).toBeVisible();
  await page.getByRole('button', { name: id.identity.waiting.approveNamed(serial) }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await check('approve');
  await page.goto(`/claim?serial=${serial}`);
  await expect(page.locator(`[data-claim="${serial}"]`)).toContainText(id.claim.waits);
  await check('claim-place');
  const alert = await anAlert(page, name);
  await page.goto('/alerts');
  await expect(page.locator(`[data-alert="${alert}"]`)).toBeVisible();
  await page.locator(`[data-alert="${alert}"]`).getByRole('checkbox').check();
  await expect(page.locator('[data-bulk]')).toBeVisible();
  await check('alerts-bulk');
  await page.goto(`/alerts/${alert}`);
  await expect(page.locator('[data-event="raised"]')).toBeVisible();
  await page.getByRole('button', { name: id.alerts.act.snooze, exact: true }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await check('alert-snooze');
  await page.goto(`/thresholds/edit?metric=ph&scope=device&target=${name}`);
  await page.getByLabel(id.thresholds.form.high.warning, { exact: true }).fill('7');
  await page.getByLabel(id.thresholds.form.high.critical, { exact: true }).fill('6');
  await page.getByLabel(id.thresholds.form.rate).check();
  await expect(page.getByText(id.thresholds.form.problem.order)).toBeVisible();
  await check('threshold');
  await page.goto('/users');
  await page.locator('[data-user]').last().getByRole('button').click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await check('users-change');
  const person = `looks-${Date.now().toString(36)}`;
  const made = await page.request.post('/api/v1/users', { data: { name: person, role: 'auditor' } });
  const { password } = (await made.json()) as { password: string };

  // axe wants a page of a context.
  const elsewhere = await browser.newContext({
    baseURL: baseURL ?? '',
    ignoreHTTPSErrors: true,
    viewport: page.viewportSize(),
  });
  const stranger = await elsewhere.newPage();
  await signInAs(stranger, person, password);
  await stranger.goto('/');
  await expect(stranger.locator('[data-choose-password]')).toBeVisible();
  await check('choose-password', stranger);
  await page.request.patch(`/api/v1/users/${person}`, { data: { disabled: true } });
  await elsewhere.close();
});

test('every label of the tabs is whole on a small phone, in both languages', async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const language of ['Indonesia', 'English']) {
    await page.goto('/profile');
    await page.getByText(language, { exact: true }).click();
    const tabs = page.getByRole('navigation', { name: language === 'English' ? en.nav.main : id.nav.main });
    await expect(tabs.getByRole('link')).toHaveCount(5);
    const cut = await tabs.getByRole('link').evaluateAll((links) =>
      links
        .map((link) => ({ own: link.getBoundingClientRect(), text: link.querySelector('.text') }))
        .filter(({ own, text }) => {
          const at = text?.getBoundingClientRect();
          return (
            !at ||
            at.left < own.left ||
            at.right > own.right ||
            (text?.scrollWidth ?? 0) > Math.ceil(at.width)
          );
        })
        .map(({ text }) => text?.textContent),
    );
    expect(cut, language).toEqual([]);
  }
  await page.getByText('Indonesia', { exact: true }).click();
});
