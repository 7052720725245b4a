// The front page: how the fleet is, live; each number leads to what it counts; an empty fleet says what to do next.
import { devices, expect, id, onlineDevice, test } from './fixtures';

test('the overview says how the fleet is, and each number leads to what it counts', async ({
  signedIn: page,
}) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1, name: id.overview.title })).toBeVisible();
  const online = page.locator('[data-glance="online"]');
  await expect(online).toContainText(/^\s*[1-9]/);
  for (const metric of ['ph', 'tds', 'temperature', 'volume'])
    await expect(page.locator(`[data-average="${metric}"] [data-average-value]`)).toHaveText(/\d/);
  // All that a demo measures is made up, and every number of it says so.
  await expect(page.getByText(id.fleet.simulated).first()).toBeVisible();
  await online.click();
  const listed = await devices(page);
  expect(new URL(page.url()).searchParams.get('show')).toBe('online');
  await expect(listed.filter({ has: page.locator('[data-state="offline"]') })).toHaveCount(0);
});

test('the averages live with the readings', async ({ signedIn: page }) => {
  await page.goto('/');
  const values = () => page.locator('[data-average-value]').allInnerTexts();
  await expect.poll(async () => (await values()).length).toBeGreaterThanOrEqual(4);
  const before = await values();
  await expect.poll(values).not.toEqual(before);
});

test('who needs somebody comes first, with why, and one press away', async ({ signedIn: page }) => {
  const name = await onlineDevice(page);
  const token = await page.request.post('/api/v1/intake-tokens', {
    data: { name: `overview-${Date.now().toString(36)}` },
  });
  const answer = await page.request.post('/api/v1/webhooks/alerts', {
    headers: { authorization: `Bearer ${((await token.json()) as { token: string }).token}` },
    data: { key: 'pompa', state: 'firing', severity: 'critical', title: 'Pompa kering', device: name },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  await page.goto('/');
  const row = page.locator(`[data-worst="${name}"]`);
  await expect(row).toHaveAttribute('data-need', 'critical');
  await expect(row).toContainText(id.overview.need.critical);
  await expect(page.locator('[data-event="raised"]').first()).toContainText('Pompa kering');
  await row.getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
});

test('an empty fleet says what to do next', async ({ signedIn: page }) => {
  await page.route('**/api/v1/devices', (route) => route.fulfill({ json: { devices: [] } }));
  await page.route('**/api/v1/latest', (route) => route.fulfill({ json: { latest: [] } }));
  await page.routeWebSocket('**/api/v1/live', () => undefined);
  await page.goto('/');
  await expect(page.getByText(id.fleet.emptyTitle)).toBeVisible();
  await page.getByRole('link', { name: id.fleet.emptyAction }).click();
  await expect(page).toHaveURL(/\/enrolment$/);
});
