// Every page there is, as the list of addresses says, so that a new one is held to the same: axe finds nothing serious in light
// or dark, nothing scrolls sideways on a small phone, nothing moves, a thumb hits everything, and the keyboard comes everywhere.
import AxeBuilder from '@axe-core/playwright';
import { paths } from '../src/lib/state/route';
import { beyond, moving, tooSmall, walk } from './care';
import { anAlert, expect, id, onlineDevice, test, type Page } from './fixtures';

const folder = process.env.TIRTA_SHOTS ?? 'test-results/shots';

/** Those that show more with a question in their address; what else has a hole is asked for the device. */
const asked = (device: string, alert: number): Partial<Record<keyof typeof paths, string>> => ({
  alert: paths.alert(alert),
  compare: paths.compare({ metric: 'temperature', devices: device, range: 'm15' }),
  threshold: paths.threshold({ metric: 'ph', scope: 'device', target: device }),
});

function addresses(device: string, alert: number): string[] {
  const special = asked(device, alert);
  const all = Object.entries(paths).map(([name, path]) => {
    const known = special[name as keyof typeof paths];
    if (known !== undefined || typeof path === 'string') return known ?? String(path);
    return (path as (...holes: never[]) => string)(...((path.length > 0 ? [device, 'ph'] : []) as never[]));
  });
  const more = [paths.devices({ show: 'online', sort: '-ph' }), `${paths.claim}/${device}`, '/nowhere'];
  return [...new Set([...all, ...more])];
}

async function settled(page: Page): Promise<void> {
  await expect(page.locator('main').getByRole('heading').first()).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
}

/** Nothing of what is found may stand; all of it is told at once. */
async function axe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

test('every page is for everybody, in light and in dark', async ({
  signedIn: page,
  browser,
  baseURL,
}, info) => {
  test.setTimeout(900_000);
  const phone = info.project.name === 'phone';
  const size = phone ? { width: 360, height: 740 } : { width: 1280, height: 800 };
  await page.setViewportSize(size);
  const device = await onlineDevice(page);
  const found: Record<string, unknown> = {};
  const tell = (where: string, wrong: Record<string, unknown[]>): void => {
    const told = Object.entries(wrong).filter(([, list]) => list.length > 0);
    if (told.length > 0) found[where] = Object.fromEntries(told);
  };
  const look = async (at: string, looked: Page = page): Promise<void> => {
    const short = at.slice(1).replace(/\d{6,}/, 'one');
    const name = short.replace(/[/?=&#]+/g, '-').slice(0, 60) || 'overview';
    const who = looked === page ? '' : 'stranger-';
    await looked.emulateMedia({ colorScheme: 'light' });
    await looked.goto(at);
    await settled(looked);
    for (const theme of ['light', 'dark'] as const) {
      await looked.emulateMedia({ colorScheme: theme });
      await expect(looked.locator('html')).toHaveAttribute('data-theme', theme);
      await looked.screenshot({ path: `${folder}/${who}${name}-${info.project.name}-${theme}.png` });
      tell(`${at} in ${theme}`, { axe: await axe(looked) });
    }
    const far = await beyond(looked);
    tell(at, {
      beyond: far > 0 ? [far] : [],
      moving: await moving(looked),
      small: phone ? await tooSmall(looked) : [],
      ...(phone ? {} : await walk(looked)),
    });
  };
  for (const at of addresses(device, await anAlert(page, device))) await look(at);
  const elsewhere = await browser.newContext({
    baseURL: baseURL ?? '',
    ignoreHTTPSErrors: true,
    reducedMotion: 'reduce',
    viewport: size,
  });
  const stranger = await elsewhere.newPage();
  for (const at of ['/', paths.signUp, '/join#nothing']) await look(at, stranger);
  await elsewhere.close();
  expect(found).toEqual({});
});

test('a dialog keeps the focus, Escape or its button closes it, and the focus is where it was', async ({
  signedIn: page,
}) => {
  const alert = await anAlert(page, await onlineDevice(page));
  await page.goto(paths.alert(alert));
  const opener = page.getByRole('button', { name: id.alerts.act.snooze, exact: true });
  const dialog = page.getByRole('dialog');
  for (const close of ['Escape', 'button'] as const) {
    await opener.focus();
    await page.keyboard.press('Enter');
    await expect(dialog).toBeVisible();
    for (let pressed = 0; pressed < 8; pressed += 1) {
      await page.keyboard.press('Tab');
      const outside = await page.evaluate(
        () => document.activeElement !== document.body && !document.activeElement?.closest('dialog'),
      );
      expect(outside).toBe(false);
    }
    if (close === 'Escape') await page.keyboard.press('Escape');
    else await dialog.getByRole('button', { name: id.alerts.act.cancel, exact: true }).press('Enter');
    await expect(dialog).toBeHidden();
    await expect(opener).toBeFocused();
  }
});

test('keys lead through alerts, act on them, take it back, and are told by the question mark', async ({
  signedIn: page,
}, info) => {
  test.skip(info.project.name === 'phone', 'a phone has no keys');
  const device = await onlineDevice(page);
  const [first, second] = [await anAlert(page, device), await anAlert(page, device)];
  await page.goto(paths.alerts({ device }));
  const row = (alert: number) => page.locator(`[data-alert="${alert}"]`);
  await expect(row(first)).toBeVisible();
  await page.keyboard.press('j');
  await expect(row(second).getByRole('link').first()).toBeFocused();
  await page.keyboard.press('j');
  await expect(row(first).getByRole('link').first()).toBeFocused();
  await page.keyboard.press('k');
  await page.keyboard.press('x');
  await expect(page.locator('[data-bulk="1"]')).toBeVisible();
  await page.keyboard.press('x');
  await page.keyboard.press('a');
  await expect(row(second).locator('[data-alert-state="acknowledged"]')).toBeVisible();
  await page.keyboard.press('z');
  await expect(row(second).locator('[data-alert-state="open"]')).toBeVisible();

  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('a?');
  await expect(page.getByRole('searchbox'), 'where one writes, a letter is a letter').toHaveValue('a?');
  await page.getByRole('searchbox').fill('');
  await page.getByRole('searchbox').blur();

  const dialog = page.getByRole('dialog');
  await page.keyboard.press('?');
  await expect(dialog).toContainText(id.alerts.act.acknowledge);
  await dialog.getByLabel(id.keyboard.on).uncheck();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  await expect(dialog, 'what needs Ctrl stays').toContainText(id.keyboard.palette);
  await page.keyboard.type(device);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: device })).toBeVisible();
});
