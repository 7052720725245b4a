// Alerts from the limit to the end: what a technician does, on a fleet that runs. Values wander with the hour, so limits
// are set by what is measured: far below it, that it is passed; far above it, that it is over.
import { deviceThatNeverCame, newPlace } from './boards';
import { expect, id, kept, onlineDevice, shown, test, type Page } from './fixtures';

const t = id.alerts;
const form = id.thresholds.form;
/** From the limit to the device, its next reading that is no fault, the server and back. */
const ROUND = { timeout: 90_000 };
const METRIC = 'volume';

/** What is measured now. A simulated probe fails now and then: that is no value. */
async function valueOf(page: Page, device: string): Promise<number> {
  let value = 0;
  await expect(async () => {
    const answer = await page.request.get('/api/v1/latest');
    const { latest } = (await answer.json()) as {
      latest: { device: string; metric: string; value: number | null }[];
    };
    value = latest.find((each) => each.device === device && each.metric === METRIC)?.value ?? 0;
    expect(value, `a value of ${METRIC}`).toBeGreaterThan(0);
  }).toPass(ROUND);
  return value;
}

const comma = (value: number): string => value.toFixed(1).replace('.', ',');

async function setCriticalAbove(page: Page, device: string, limit: number): Promise<void> {
  await page.goto(`/thresholds/edit?metric=${METRIC}&scope=device&target=${device}`);
  await expect(page.locator('[data-in-force]')).toBeVisible();
  await page.getByLabel(form.high.critical, { exact: true }).fill(comma(limit));
  for (const span of [form.hold, form.clear]) await page.getByLabel(span, { exact: true }).fill('0');
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await expect(page.getByText(form.saved)).toBeVisible();
  await expect(page.locator(`[data-standing-of="${device}"]`)).toHaveAttribute(
    'data-standing',
    'applied',
    ROUND,
  );
}

/** Nothing is found of a journey before, and nothing is left for those after it. */
async function removeThreshold(page: Page, device: string): Promise<void> {
  const targets = [{ scope: 'device', target: device }];
  const answer = await page.request.put('/api/v1/thresholds', {
    data: { targets, metric: METRIC, threshold: null },
  });
  expect(answer.ok()).toBe(true);
}

test('a technician lowers a limit, hears of it, sees to it with a note, and it is over when the limit is back', async ({
  signedIn: page,
}, info) => {
  test.setTimeout(600_000);
  const device = await onlineDevice(page);
  await removeThreshold(page, device);
  const value = await valueOf(page, device);
  await page.goto(`/devices/${device}`);
  await page.locator(`[data-limits="${METRIC}"] a`).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(id.metric[METRIC]);

  await page.getByLabel(form.high.critical, { exact: true }).fill('tinggi');
  await expect(page.getByText(form.problem.number)).toBeVisible();
  await page.getByLabel(form.high.critical, { exact: true }).fill(comma(value / 2));
  for (const span of [form.hold, form.clear]) await page.getByLabel(span, { exact: true }).fill('0');
  await expect(page.locator('[data-preview]')).toHaveAttribute('data-preview', /^[1-9]/, ROUND);
  await shown(page, info, 'threshold');
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await expect(page.getByText(form.saved)).toBeVisible();
  await expect(page.locator(`[data-standing-of="${device}"]`)).toHaveAttribute(
    'data-standing',
    'applied',
    ROUND,
  );

  const toast = page
    .locator('[data-toast^="alert-"]')
    .filter({ hasText: device })
    .filter({ hasText: id.metric[METRIC] });
  await expect(toast).toBeVisible(ROUND);
  await shown(page, info, 'toast');
  await toast.getByRole('button', { name: t.show }).click();
  await expect(page).toHaveURL(/\/alerts\/\d+$/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(device);
  const header = page.locator('[data-alert-page] header');
  await expect(header.locator('[data-severity="critical"]')).toBeVisible();

  // How the water is now, and where: the value that raised it is of then.
  await expect(header.getByRole('link', { name: device })).toBeVisible();
  await expect(header.locator(`[data-now="${METRIC}"] time`)).toBeVisible();
  await expect(page.getByText(t.page.value, { exact: true })).toBeVisible();

  await page.getByRole('button', { name: t.act.acknowledge, exact: true }).click();
  await expect(header.locator('[data-alert-state="acknowledged"]')).toBeVisible();
  // The limit that was set a moment ago can be taken back, too.
  const done = page.locator('[data-toast]').filter({ hasText: t.act.done.acknowledge });
  await done.getByRole('button', { name: id.common.undo, exact: true }).click();
  await expect(header.locator('[data-alert-state="open"]'), 'one press too many is no harm').toBeVisible();
  await page.getByRole('button', { name: t.act.acknowledge, exact: true }).click();
  await expect(header.locator('[data-alert-state="acknowledged"]')).toBeVisible();
  await page.getByLabel(t.page.noteLabel).fill('Keran ditutup, air turun.');
  await page.getByRole('button', { name: t.page.noteSave }).click();
  await expect(page.locator('[data-note]')).toContainText('Keran ditutup, air turun.');
  await expect(page.locator('[data-note]')).toContainText('admin');
  await expect(toast, 'somebody sees to it').toBeHidden();
  await expect(page.locator('[data-event="acknowledged"]'), 'it was taken back once').toHaveCount(2);
  await shown(page, info, 'alert');

  const address = page.url();
  await page.goto(`/devices/${device}`);
  await expect(page.locator(`article[data-metric="${METRIC}"] [data-level="critical"]`)).toBeVisible();
  await expect(page.locator('[data-open-alerts]')).toContainText(device);

  await setCriticalAbove(page, device, value * 2);
  await page.goto(address);
  await expect(header.locator('[data-alert-state="resolved"]')).toBeVisible(ROUND);
  await expect(page.locator('[data-event="cleared"]')).toBeVisible();
  await removeThreshold(page, device);
  await page.goto(`/devices/${device}`);
  await expect(page.locator(`article[data-metric="${METRIC}"] [data-level="normal"]`)).toBeVisible();
});

/** Hands in alerts as another system does, and answers with the way to hand in more. */
async function otherSystem(page: Page, info: { project: { name: string } }) {
  const name = `pompa-${info.project.name}-${Date.now().toString(36)}`;
  const made = await page.request.post('/api/v1/intake-tokens', { data: { name } });
  expect(made.status()).toBe(201);
  const { token } = (await made.json()) as { token: string };
  const report = async (key: string, severity: string): Promise<void> => {
    const answer = await page.request.post('/api/v1/webhooks/alerts', {
      headers: { authorization: `Bearer ${token}` },
      data: { key, state: 'firing', severity, title: `${name} ${key}` },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
  };
  return { name, report };
}

test('alerts come in live, are seen to together, cleared, and brought back', async ({
  signedIn: page,
}, info) => {
  const { name, report } = await otherSystem(page, info);
  await page.goto('/alerts');
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
  await page.getByRole('searchbox', { name: t.filter.search }).fill(name);
  await expect(page.getByText(t.list.noMatch)).toBeVisible();
  await report('satu', 'warning');
  await report('dua', 'critical');
  const rows = page.locator('[data-alert]');
  await expect(rows).toHaveCount(2, ROUND);
  await expect(page.locator('[data-badge-of="alerts"]')).toBeVisible();
  await shown(page, info, 'alerts');

  for (const row of await rows.all()) await row.getByRole('checkbox').check();
  const bar = page.locator('[data-bulk="2"]');
  await bar.getByRole('button', { name: t.act.resolve, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: t.act.resolve, exact: true }).click();
  await expect(dialog.getByText(t.act.reasonMissing)).toBeVisible();
  await dialog.getByLabel(t.act.reason).fill('uji');
  await page.mouse.click(4, 4);
  await expect(dialog.getByLabel(t.act.reason), 'a tap beside it throws nothing away').toHaveValue('uji');
  await dialog.getByRole('button', { name: t.act.resolve, exact: true }).click();
  await expect(rows).toHaveCount(0);

  await page.getByLabel(t.filter.state, { exact: true }).selectOption('resolved');
  await expect(rows).toHaveCount(2);
  await page.reload();
  await expect(rows, 'the filter stays in the address').toHaveCount(2);
  await rows.first().getByRole('link').first().click();
  await page.locator('a.back').click();
  await expect(rows, 'the way back leads to the list as it was').toHaveCount(2);
  await expect(page).toHaveURL(/state=resolved/);
  await page.getByRole('button', { name: t.list.clear }).click();
  await dialog.getByRole('button', { name: t.clear.confirm, exact: true }).click();
  await expect(rows).toHaveCount(0);
  await page.getByRole('button', { name: id.common.undo, exact: true }).click();
  await expect(rows).toHaveCount(2);
  await page.goto('/alerts/clearances');
  await expect(page.locator('[data-clearance]').first()).toContainText(t.clear.restored('').trim());
});

test('a toast for the same news comes once, and the list is read again after a lost connection', async ({
  signedIn: page,
}, info) => {
  const { name, report } = await otherSystem(page, info);
  await page.goto(`/alerts?q=${name}`);
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
  await report('satu', 'critical');
  const toast = page.locator('[data-toast^="alert-"]').filter({ hasText: `${name} satu` });
  await expect(toast).toHaveCount(1, ROUND);
  await report('satu', 'critical');
  await page.context().setOffline(true);
  await expect(page.locator('[data-banner]')).toBeVisible();
  await expect(toast, 'what is critical stays').toHaveCount(1);
  // The page is cut off; the request is not a page's.
  await report('dua', 'warning');
  await page.context().setOffline(false);
  await expect(page.locator('[data-banner]')).toBeHidden();
  await expect(page.locator('[data-alert]')).toHaveCount(2);
  await expect(toast).toHaveCount(1);
  await toast.getByRole('button', { name: id.common.close }).click();
  await expect(toast).toHaveCount(0);
});

test('maintenance is made for a device, holds, and is ended', async ({ signedIn: page }, info) => {
  const device = await onlineDevice(page);
  await page.goto('/alerts/silences');
  await page.getByRole('button', { name: t.silence.submit, exact: true }).click();
  await expect(page.getByText(t.silence.target)).toBeVisible();
  await page.getByLabel(t.silence.where, { exact: true }).selectOption(`device/${device}`);
  const reason = `uji ${info.project.name} ${Date.now()}`;
  await page.getByLabel(t.silence.reason, { exact: true }).fill(reason);
  await page.getByRole('button', { name: t.silence.submit, exact: true }).click();
  const made = page.locator('[data-silence]').filter({ hasText: reason });
  await expect(made).toHaveAttribute('data-silence-state', 'now');
  await made.getByRole('button', { name: t.silence.end }).click();
  await expect(made).toHaveAttribute('data-silence-state', 'over');
  await page.getByRole('button', { name: id.common.undo, exact: true }).click();
  const holding = made.and(page.locator('[data-silence-state="now"]'));
  await expect(holding, 'another like it goes on').toHaveCount(1);
  await holding.getByRole('button', { name: t.silence.end }).click();
  await expect(holding).toHaveCount(0);
});

test('another system gets a token that is shown once, with a command to try, and can be shut out', async ({
  signedIn: page,
}, info) => {
  const name = `pump-${info.project.name}-${Date.now().toString(36)}`;
  await page.goto('/alerts/intake');
  await page.getByLabel(t.intake.name, { exact: true }).fill('Pompa 1');
  await page.getByRole('button', { name: t.intake.submit }).click();
  await expect(page.getByLabel(t.intake.name, { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel(t.intake.name, { exact: true }).fill(name);
  await page.getByRole('button', { name: t.intake.submit }).click();
  const made = page.locator('[data-intake-made]');
  await expect(made).toContainText('curl -X POST');
  await expect(made.locator('[data-copy]').first()).not.toBeEmpty();
  await page.reload();
  await expect(made).toBeHidden();
  const row = page.locator(`[data-intake="${name}"]`);
  await row.getByRole('button', { name: t.intake.revokeNamed(name) }).click();
  await row.getByRole('button', { name: t.intake.revoke, exact: true }).click();
  await expect(row).toContainText(t.intake.revoked('').trim());
});

test('devices of a location get the same limits at once, after a check, and one that is refused is named', async ({
  signedIn: page,
}) => {
  const place = newPlace();
  const names = await Promise.all(['a', 'b', 'c'].map(() => deviceThatNeverCame(page, place)));
  const dialog = page.getByRole('dialog');
  const own = (name: string) => page.locator(`[data-thresholds="ph"] [data-threshold="device/${name}"]`);
  await page.goto('/thresholds');
  await page.getByRole('link', { name: id.thresholds.makeMany }).click();
  await page.getByLabel(form.filterLocation).selectOption(place);
  await expect(page.locator('[data-offered]')).toHaveCount(3);
  await page.getByRole('button', { name: form.chooseAll(3, '3') }).click();
  await expect(page.locator('[data-chosen="3"]')).toBeVisible();
  await expect(page.locator('[data-applies="3"]')).toBeVisible();
  await page.getByLabel(form.high.critical, { exact: true }).fill('9');
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await expect(dialog.locator('[data-confirmed="3"]')).toContainText(names[0] ?? '');
  await dialog.getByRole('button', { name: id.common.cancel }).click();
  await expect(dialog).toBeHidden();
  await expect(page.locator('[data-versions="0"]'), 'nothing is set before it is confirmed').toBeVisible();
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await dialog.getByRole('button', { name: id.thresholds.many.confirmSave(3, '3') }).click();
  await expect(page.getByText(form.saved)).toBeVisible();
  await page.goto('/thresholds');
  for (const name of names) await expect(own(name)).toContainText(id.thresholds.summary.above('9'));

  const unknown = `${names[0]}-x`;
  await page.goto(`/thresholds/edit?metric=ph&scope=device&target=${[...names, unknown].join(',')}`);
  await page.getByLabel(form.high.critical, { exact: true }).fill('8');
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await expect(dialog).toContainText(id.thresholds.many.replaced(3, '3'));
  await dialog.getByRole('button', { name: id.thresholds.many.confirmSave(4, '4') }).click();
  await expect(page.getByRole('alert')).toContainText(form.refused(unknown));
  await page.getByRole('button', { name: form.leaveOut(unknown) }).click();
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await dialog.getByRole('button', { name: id.thresholds.many.confirmSave(3, '3') }).click();
  await expect(page.getByText(form.saved)).toBeVisible();
  await page.getByRole('button', { name: id.common.undo }).click();
  await expect(page.getByText(form.undone)).toBeVisible();
  await expect(page.getByLabel(form.high.critical, { exact: true }), 'what holds again').toHaveValue('9');
  await expect(page.locator('[data-versions="3"]')).toBeVisible();
  await page.goto('/thresholds');
  await expect(own(names[2] ?? '')).toContainText(id.thresholds.summary.above('9'));
  await own(names[2] ?? '')
    .getByRole('link')
    .click();
  await page.getByLabel(form.filterLocation).selectOption(place);
  await page.getByRole('button', { name: form.chooseAll(3, '3') }).click();
  await page.getByRole('button', { name: form.remove, exact: true }).click();
  await dialog.getByRole('button', { name: id.thresholds.many.confirmRemove(3, '3') }).click();
  await expect(page.getByText(form.gone)).toBeVisible();
});

test('limits come from a preset, whose source is shown, and a version can be looked up', async ({
  signedIn: page,
}) => {
  const device = await onlineDevice(page);
  await page.goto(`/thresholds/edit?metric=ph&scope=device&target=${device}`);
  const preset = page.getByLabel(form.preset, { exact: true });
  await expect(preset).toBeVisible();
  await preset.selectOption({ index: 1 });
  await expect(page.locator('[data-preset]')).toContainText(form.presetSource);
  await page.getByRole('button', { name: form.save, exact: true }).click();
  await expect(page.getByText(form.saved)).toBeVisible();
  await expect(page.locator('[data-versions]')).not.toHaveAttribute('data-versions', '0');
  await page.goto('/thresholds');
  const row = page.locator(`[data-thresholds="ph"] [data-threshold="device/${device}"]`);
  await row.getByRole('link').click();
  await expect(page.locator('[data-preset]')).toBeVisible();
  await page.getByRole('button', { name: form.remove, exact: true }).click();
  await expect(page.getByText(form.gone)).toBeVisible();
  await page.goto('/thresholds');
  await expect(page.getByRole('heading', { level: 1, name: id.thresholds.title })).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  await expect(row).toHaveCount(0);
});

test('outages show the availability of every device by day, week and month', async ({
  signedIn: page,
}, info) => {
  const device = await onlineDevice(page);
  await page.goto('/outages');
  await expect(page.locator(`[data-availability-of="${device}"] li`).last()).toBeVisible();
  await shown(page, info, 'outages');
  for (const per of ['week', 'month'] as const) {
    await page.getByText(id.outages.per[per], { exact: true }).click();
    await expect(page.locator('[data-availability]')).toHaveAttribute('data-availability', per);
    await expect(page.locator(`[data-availability-of="${device}"] li`).last()).toBeVisible();
  }
  await page.goto(`/devices/${device}`);
  await expect(page.locator('[data-recap]')).toContainText('%');
});

test('sound is off until somebody switches it on, and the account remembers it', async ({
  signedIn: page,
}) => {
  const silent = { severities: ['warning', 'critical'], sound: false, browser: false, quiet: null };
  const reset = () => page.request.patch('/api/v1/profile', { data: { notifications: silent } });
  await reset();
  await page.goto('/profile');
  const sound = page.getByRole('group', { name: t.settings.sound });
  await expect(sound.getByLabel(t.settings.off)).toBeChecked();
  await sound.getByText(t.settings.on).click();
  await expect(page.getByRole('button', { name: t.settings.try })).toBeVisible();
  await kept(page, { notifications: { sound: true } });
  await page.reload();
  await expect(sound.getByLabel(t.settings.on)).toBeChecked();
  await reset();
});
