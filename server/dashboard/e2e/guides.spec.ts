// The pictures of the guides (docs/guides, docs/panduan): each role walks over a fleet with alerts, a technician on a phone
// in Indonesian, the others at a desk in English. It proves little, so it is only walked when pictures are wanted.
import { boardThatWaits } from './boards';
import { en, expect, id, PASSWORD, shown, signInAs, test, USER, type Page } from './fixtures';
import { another, firstHeading, newName, OWN, person } from './persons';

test.skip(!process.env.TIRTA_SHOTS, 'it takes pictures: set TIRTA_SHOTS to the folder for them');

/** What a threshold brings about and a calibration takes, on a slow machine. */
const PATIENT = { timeout: 180_000 };
const PLACES = ['Kolam lele 1', 'Kolam lele 2', 'Kolam nila', 'Rak hidroponik', 'IPAL barat'];
/** So many readings make a line, not a dot. */
const A_LINE = 150;

interface Listed {
  name: string;
  state: string;
  location: string;
}

/** The devices that are connected, each at a place; those of another fleet stay where they are. */
async function fleetOf(admin: Page): Promise<string[]> {
  const { devices } = (await (await admin.request.get('/api/v1/devices')).json()) as { devices: Listed[] };
  const online = devices.filter(({ state }) => state === 'online');
  for (const [at, { name, location }] of online.entries()) {
    if (location) continue;
    const answer = await admin.request.patch(`/api/v1/devices/${name}`, {
      data: { location: PLACES[at % PLACES.length] },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
  }
  expect(online.length, 'devices for three pictures').toBeGreaterThanOrEqual(3);
  return online.map(({ name }) => name).sort();
}

/** A limit on one side of what is measured now, so that it is passed; the warning lies a little before it. */
async function alarmed(admin: Page, device: string, metric: string, by: number, critical: boolean) {
  let value = 0;
  await expect(async () => {
    const answer = await admin.request.get('/api/v1/latest');
    const { latest } = (await answer.json()) as {
      latest: { device: string; metric: string; value: number | null }[];
    };
    value = latest.find((each) => each.device === device && each.metric === metric)?.value ?? 0;
    expect(value, `a value of ${metric}`).toBeGreaterThan(0);
  }).toPass(PATIENT);
  const limit = Math.round((value - by) * 10) / 10;
  const high = critical ? { warning: limit - by / 2, critical: limit } : { warning: limit };
  const answer = await admin.request.put('/api/v1/thresholds', {
    data: {
      targets: [{ scope: 'device', target: device }],
      metric,
      threshold: { high, hysteresis: by / 10, hold_ms: 0, clear_ms: 0 },
    },
  });
  expect(answer.ok(), await answer.text()).toBe(true);
}

/** Somebody of a role in a browser of their own. A plain name, unless an earlier run has taken it. */
async function somebody(admin: Page, browser: Parameters<typeof another>[0], who: Who): Promise<Page> {
  const { users } = (await (await admin.request.get('/api/v1/users')).json()) as {
    users: { name: string }[];
  };
  const name = users.some((user) => user.name === who.name) ? newName(who.name) : who.name;
  await person(admin, name, who.role);
  const own = await another(browser, admin, who.baseURL, who.locale);
  await signInAs(own, name, OWN);
  return own;
}

interface Who {
  name: string;
  role: string;
  locale: string;
  baseURL: string | undefined;
}

/** Everything that a page loads is there. */
async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}

test(
  'a technician’s day on a phone',
  { tag: '@guides' },
  async ({ signedIn: admin, browser, baseURL }, info) => {
    test.skip(info.project.name !== 'phone', 'a technician has a phone');
    test.setTimeout(900_000);
    const [first = '', second = '', third = ''] = await fleetOf(admin);
    await alarmed(admin, first, 'ph', 0.4, true);
    await alarmed(admin, second, 'temperature', 1, false);
    const tono = await somebody(admin, browser, {
      name: 'tono',
      role: 'technician',
      locale: 'id-ID',
      baseURL,
    });

    const alerts = tono.locator('[data-alert]');
    await tono.goto('/alerts');
    await expect(alerts.nth(1)).toBeVisible(PATIENT);
    await tono.goto('/');
    await expect(tono.locator(`[data-worst="${first}"]`)).toHaveAttribute('data-need', 'critical');
    await expect(tono.locator('[data-average-value]').first()).toHaveText(/\d/);
    await settled(tono);
    await shown(tono, info, 'guide-overview');
    await tono.goto('/alerts');
    await expect(alerts.nth(1)).toBeVisible();
    await settled(tono);
    await shown(tono, info, 'guide-alerts');
    await alerts.filter({ hasText: first }).first().getByRole('link').first().click();
    await expect(tono.locator('[data-event="raised"]')).toBeVisible();
    await expect(tono.locator('canvas')).toBeVisible();
    await shown(tono, info, 'guide-alert');

    const c = id.calibration;
    await tono.goto(`/devices/${third}/calibrate/ph`);
    await tono.getByLabel(c.setup.lot).fill('A12, 03/2027');
    await tono.getByRole('button', { name: c.setup.begin }).click();
    await tono.getByRole('button', { name: c.measure.inBuffer('7,00') }).click(PATIENT);
    await expect(tono.getByRole('button', { name: c.measure.remove('7,00') })).toBeVisible(PATIENT);
    await shown(tono, info, 'guide-calibrate');
    await tono.getByRole('button', { name: c.measure.cancel }).click();
    await tono.getByRole('dialog').getByRole('button', { name: c.leave.leave }).click();

    const readings = async (): Promise<number> => {
      const answer = await tono.request.get(
        `/api/v1/devices/${first}/readings?metric=ph&from=0&limit=${A_LINE}`,
      );
      return ((await answer.json()) as { readings: unknown[] }).readings.length;
    };
    await expect.poll(readings, { timeout: 400_000 }).toBeGreaterThanOrEqual(A_LINE);
    await tono.goto(`/devices/${first}`);
    await expect(tono.locator('article[data-metric="ph"] canvas')).toBeVisible();
    await settled(tono);
    await shown(tono, info, 'guide-device');
    await tono.close();
  },
);

test(
  'a supervisor, an admin and an auditor at a desk',
  { tag: '@guides' },
  async ({ signedIn: admin, browser, baseURL }, info) => {
    test.skip(info.project.name !== 'desktop', 'they have a desk');
    test.setTimeout(900_000);
    const desk = { locale: 'en-GB', baseURL };
    const [first = '', second = ''] = await fleetOf(admin);
    await alarmed(admin, second, 'temperature', 1, false);

    const rini = await somebody(admin, browser, { name: 'rini', role: 'auditor', ...desk });
    const sari = await somebody(admin, browser, { name: 'sari', role: 'supervisor', ...desk });
    const form = en.thresholds.form;
    await sari.goto(`/thresholds/edit?metric=temperature&scope=device&target=${first}`);
    await expect(sari.locator('[data-in-force]')).toBeVisible();
    await sari.getByLabel(form.low.warning, { exact: true }).fill('18');
    await sari.getByLabel(form.high.warning, { exact: true }).fill('20');
    await sari.getByLabel(form.high.critical, { exact: true }).fill('35');
    await sari.getByLabel(form.hold, { exact: true }).fill('0');
    await expect(sari.locator('[data-preview]')).toHaveAttribute('data-preview', /^[1-9]/, PATIENT);
    await settled(sari);
    await shown(sari, info, 'guide-threshold');
    const serial = await boardThatWaits(admin);
    await sari.goto('/waiting');
    await sari.getByRole('button', { name: en.identity.waiting.approveNamed(serial) }).click();
    const dialog = sari.getByRole('dialog');
    await dialog.getByLabel(en.identity.waiting.location, { exact: true }).fill('Kolam nila');
    await shown(sari, info, 'guide-waiting');
    await sari.close();

    const root = await another(browser, admin, baseURL, 'en-GB');
    await signInAs(root, USER, PASSWORD);
    await root.goto('/users');
    await expect(root.locator('[data-user]').first()).toBeVisible();
    await root.getByLabel(en.newcomers.invite.name, { exact: true }).fill('Pak Tono');
    await settled(root);
    await shown(root, info, 'guide-accounts');
    await root.goto('/registry');
    const lines = [
      'serial,name,location,latitude,longitude,metrics',
      '10000000a3c40011,pi-11,Kolam lele 3,-6.2088,106.8456,ph temperature',
      '10000000a3c40012,pi-12,Kolam lele 3,-6.2089,106.8457,ph temperature',
      ',pi-13,Rak hidroponik,,,ph tds',
      '1.00E+15,pi-14,Rak hidroponik,,,ph tds',
    ];
    await root.locator('input[type=file]').setInputFiles({
      name: 'fleet.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(lines.join('\r\n'), 'utf8'),
    });
    await expect(root.locator('[data-line="5"]')).toHaveAttribute('data-verdict', 'refused');
    await shown(root, info, 'guide-registry');
    await root.close();

    await rini.goto('/audit');
    await expect(firstHeading(rini, en.audit.title)).toBeVisible();
    const chain = rini.locator('[data-chain]');
    await chain.getByRole('button', { name: en.chain.check }).click();
    await expect(chain).toHaveAttribute('data-chain', 'intact');
    await shown(rini, info, 'guide-audit');
    await rini.close();
  },
);

test(
  'what was measured, what is reported, and how the server is',
  { tag: '@guides' },
  async ({ signedIn: admin, browser, baseURL }, info) => {
    test.skip(info.project.name !== 'desktop', 'it is read at a desk');
    const root = await another(browser, admin, baseURL, 'en-GB');
    await signInAs(root, USER, PASSWORD);
    await root.goto('/history');
    await settled(root);
    await shown(root, info, 'guide-history');
    await root.goto('/reports?period=this-week');
    await settled(root);
    await shown(root, info, 'guide-reports');
    await root.goto('/system');
    await settled(root);
    await shown(root, info, 'guide-system');
    await root.close();
  },
);
