// How every page looks: screenshots for people to judge, no serious finding of axe, nothing wider than the screen.
import AxeBuilder from '@axe-core/playwright';
import { boardThatWaits } from './boards';
import { en, expect, id, onlineDevice, signInAs, test, type Page } from './fixtures';

const folder = process.env.TIRTA_SHOTS ?? 'test-results/shots';

/** A signal needs ten seconds to settle, a thermometer that fails meanwhile as many again, and the machine may be slow. */
const LIVE = { timeout: 120_000 };

test('every page is clean and accessible in light and in dark', async ({
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
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
  await check('devices');
  await page.goto('/');
  await expect(page.locator('[data-average] [data-average-value]').first()).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  await check('overview');
  await page.goto(`/compare?metric=temperature&devices=${name}&range=m15`);
  await expect(page.locator('canvas')).toBeVisible();
  await check('compare');
  await page.getByRole('combobox', { name: id.compare.add }).focus();
  await expect(page.locator('[data-option]').first()).toBeVisible();
  await check('compare-chooser');
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
  const alert = await anAlert(page, name);
  await page.goto('/alerts');
  await expect(page.locator(`[data-alert="${alert}"]`)).toBeVisible();
  await check('alerts');
  await page.locator(`[data-alert="${alert}"]`).getByRole('checkbox').check();
  await expect(page.locator('[data-bulk]')).toBeVisible();
  await check('alerts-bulk');
  await page.goto(`/alerts/${alert}`);
  await expect(page.locator('[data-event="raised"]')).toBeVisible();
  await check('alert');
  await page.getByRole('button', { name: id.alerts.act.snooze, exact: true }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await check('alert-snooze');
  for (const path of [
    'alerts/silences',
    'alerts/clearances',
    'alerts/intake',
    'thresholds',
    'users',
    'profile',
    'password',
  ]) {
    await page.goto(`/${path}`);
    await expect(page.locator('h1')).toBeVisible();
    await expect(page.locator('.skeleton')).toHaveCount(0);
    await check(path.replace('/', '-'));
  }
  await page.goto(`/thresholds/edit?metric=ph&scope=device&target=${name}`);
  await page.getByLabel(id.thresholds.form.high.warning, { exact: true }).fill('7');
  await page.getByLabel(id.thresholds.form.high.critical, { exact: true }).fill('6');
  await page.getByLabel(id.thresholds.form.rate).check();
  await expect(page.getByText(id.thresholds.form.problem.order)).toBeVisible();
  await check('threshold');
  await page.goto('/outages');
  await expect(page.locator('[data-availability-of]').first()).toBeVisible();
  await check('outages');

  await page.goto('/keys');
  await expect(page.getByLabel(id.keys.name, { exact: true })).toBeVisible();
  await check('keys');
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
  await stranger.goto('/');
  await expect(stranger.locator('form')).toBeVisible();
  await check('sign-in', stranger);
  await signInAs(stranger, person, password);
  await stranger.reload();
  await expect(stranger.locator('[data-choose-password]')).toBeVisible();
  await check('choose-password', stranger);
  await page.request.patch(`/api/v1/users/${person}`, { data: { disabled: true } });
  await elsewhere.close();
});

/** An alert of another system about a device, so that there is one at any hour. */
async function anAlert(page: Page, device: string): Promise<number> {
  const name = `looks-${Date.now().toString(36)}`;
  const made = await page.request.post('/api/v1/intake-tokens', { data: { name } });
  const { token } = (await made.json()) as { token: string };
  const answer = await page.request.post('/api/v1/webhooks/alerts', {
    headers: { authorization: `Bearer ${token}` },
    data: {
      key: 'pompa',
      state: 'firing',
      severity: 'critical',
      title: 'Pompa kering',
      metric: 'flow',
      device,
    },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  return ((await answer.json()) as { alert: number }).alert;
}

test('nothing is wider than a small phone', async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const name = await onlineDevice(page);
  const device = `/devices/${name}`;
  const paths = [
    '/',
    '/devices',
    '/devices?show=online&sort=-ph',
    '/compare',
    `/compare?metric=ph&devices=${name}`,
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
    '/profile',
    '/users',
    '/alerts',
    `/alerts/${await anAlert(page, name)}`,
    '/alerts/silences',
    '/alerts/clearances',
    '/alerts/intake',
    '/thresholds',
    `/thresholds/edit?metric=ph&scope=device&target=${name}`,
    '/outages',
  ];
  for (const path of paths) {
    await page.goto(path);
    await expect(page.locator('h1')).toBeVisible();
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, path).toBeLessThanOrEqual(0);
  }
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
