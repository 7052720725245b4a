// Ten thousand devices: the list draws what is in sight, is searched at once, and news of one repaints one.
import { expect, id, test, type Page } from './fixtures';

const COUNT = 10_000;
const FIRST = 'pi-1';

/** Answers in the server's place with a large fleet, and lets the test say what its devices say. */
async function largeFleet(page: Page) {
  const at = Date.now();
  const all = Array.from({ length: COUNT }, (_, i) => ({
    name: `pi-${i + 1}`,
    serial: (0x1000_0000 + i).toString(16).padStart(16, '0'),
    state: i % 50 === 49 ? 'offline' : 'online',
    location: `Kolam ${i % 40}`,
    last_seen: at,
    enrolled_at: at - 86_400_000,
    simulated: true,
    model: null,
    key_sha256: '',
    certificate: null,
    agent: '0.1.0',
    clock: 'synced',
    buffer: null,
    alarm: null,
    probes: {},
    sensors: {},
    calibrations: {},
    settings: { version: 0, applied: 0, interval_ms: {} },
  }));
  const reading = (value: number, time: number) => ({
    metric: 'ph',
    unit: 'pH',
    time,
    clock: 'synced',
    value,
    fault: null,
    millivolts: null,
    flags: ['simulated'],
    spread: null,
    revision: 0,
  });
  const latest = all.map(({ name }, i) => ({ device: name, ...reading(6 + (i % 200) / 100, at) }));
  let bulk = 0;
  await page.route('**/api/v1/devices', (route) => route.fulfill({ json: { devices: all } }));
  await page.route('**/api/v1/latest', (route) => route.fulfill({ json: { latest } }));
  await page.route('**/api/v1/series?**', (route) => {
    bulk += 1;
    return route.fulfill({ json: { series: [] } });
  });
  await page.route('**/api/v1/devices/*/series?**', (route) => route.fulfill({ status: 404, json: {} }));
  let say: (message: string) => void = () => undefined;
  await page.routeWebSocket('**/api/v1/live', (browser) => {
    say = (message) => browser.send(message);
  });
  return {
    /** How often trends of all were asked for. */
    bulk: () => bulk,
    tell: (device: string, value: number) =>
      say(JSON.stringify({ type: 'readings', device, readings: [reading(value, Date.now() + 1_000)] })),
  };
}

const row = (page: Page, name: string) => page.locator(`[data-device="${name}"]`);

test('of ten thousand devices only those in sight are drawn, from the first to the last', async ({
  signedIn: page,
}) => {
  const server = await largeFleet(page);
  await page.goto('/devices');
  await expect(row(page, FIRST)).toBeVisible();
  await expect(page.locator('[data-shown="10000"]')).toBeVisible();
  const drawn = () => page.locator('[data-device]').count();
  expect(await drawn()).toBeLessThan(60);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await expect(row(page, 'pi-10000')).toBeInViewport();
  expect(await drawn()).toBeLessThan(60);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
  await expect(row(page, 'pi-10000')).toHaveCount(0);
  expect(await drawn()).toBeLessThan(60);
  // What is drawn is in sight: no blank where the middle of the list should be.
  await expect(page.locator('[data-device]').first()).toBeAttached();
  expect(
    await page
      .locator('[data-device]')
      .evaluateAll((rows) => rows.some((each) => each.getBoundingClientRect().top < innerHeight / 2)),
  ).toBe(true);
  expect(server.bulk(), 'nobody asks for ten thousand trends').toBe(0);
});

test('the end of ten thousand is one key away, and a search answers while it is typed', async ({
  signedIn: page,
}) => {
  await largeFleet(page);
  await page.goto('/devices');
  await row(page, FIRST).getByRole('link', { name: FIRST, exact: true }).focus();
  await page.keyboard.press('End');
  await expect(row(page, 'pi-10000').getByRole('link', { name: 'pi-10000', exact: true })).toBeFocused();
  await page.getByRole('searchbox').fill('pi-777');
  // pi-777, and pi-7770 to pi-7779.
  await expect(page.locator('[data-shown="11"]')).toBeVisible();
  await expect(row(page, 'pi-7775')).toBeAttached();
  await page.goto('/devices?location=Kolam%207&show=offline');
  await expect(page.getByText(id.fleet.noMatch)).toBeVisible();
  await page.goto('/devices?location=Kolam%209&sort=-ph');
  await expect(page.locator('[data-shown="250"]')).toBeVisible();
});

test('news of one device repaints one row', async ({ signedIn: page }) => {
  const server = await largeFleet(page);
  await page.goto('/devices');
  await expect(row(page, FIRST)).toBeVisible();
  await expect(page.locator('[data-connection="live"]').first()).toBeAttached();
  // What changes apart from ages, which all grow together.
  await page.evaluate(() => {
    const changed = new Set<string>();
    Object.assign(globalThis, { changed });
    const of = (node: Node): Element | null => (node instanceof Element ? node : node.parentElement);
    new MutationObserver((all) => {
      for (const { target } of all) {
        const element = of(target);
        const device = element?.closest('[data-device]')?.getAttribute('data-device');
        if (device && !element?.closest('time, .age, .seen')) changed.add(device);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  server.tell('pi-2', 8.88);
  await expect(row(page, 'pi-2').locator('[data-metric="ph"] [data-value]')).toHaveText('8,88');
  expect(await page.evaluate(() => [...(globalThis as unknown as { changed: Set<string> }).changed])).toEqual(
    ['pi-2'],
  );
});

test('the overview of ten thousand is there, with the worst first and no more than fit', async ({
  signedIn: page,
}) => {
  await largeFleet(page);
  await page.goto('/');
  await expect(page.locator('[data-glance="online"]')).toContainText('9.800');
  await expect(page.locator('[data-average="ph"]')).toContainText('9.800');
  await expect(page.locator('[data-worst]')).toHaveCount(8);
});
