// Names that would be markup: they stay text, wherever the dashboard shows them.
import { expect, test } from './fixtures';

const MARKUP = '<img src=x onerror="window.ran=1"><script>window.ran=2</script>';

test('a location that is markup stays text on every page that shows it', async ({
  signedIn: page,
  noErrors,
}) => {
  void noErrors;
  const claim = { name: 'pi-1', location: MARKUP };
  const answer = await page.request.get('/api/v1/registrations');
  const { registrations } = (await answer.json()) as { registrations: { name: string; location: string }[] };
  const before = registrations.find((registration) => registration.name === 'pi-1')?.location ?? '';
  expect((await page.request.post('/api/v1/claim', { data: claim })).status()).toBe(200);
  try {
    for (const path of [
      '/',
      '/devices',
      '/devices/pi-1',
      '/registry',
      '/alerts',
      '/thresholds',
      '/outages',
      '/audit',
    ]) {
      await page.goto(path);
      await expect(page.locator('h1').first()).toBeVisible();
      if (['/devices', '/devices/pi-1', '/registry'].includes(path))
        await expect(page.getByText('<img src=x', { exact: false }).first()).toBeAttached();
      expect(await page.evaluate(() => (window as unknown as { ran?: number }).ran), path).toBeUndefined();
      await expect(page.locator('img[src="x"]'), path).toHaveCount(0);
    }
  } finally {
    await page.request.post('/api/v1/claim', { data: { name: 'pi-1', location: before } });
  }
});
