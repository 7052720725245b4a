// The application as such: installable, there without a network, and never a cache of what the interface said.
import { expect, id, test } from './fixtures';

test.use({ serviceWorkers: 'allow' });

test('it can be installed: name, start, and icons that exist, one of them to be cut to any shape', async ({
  page,
}) => {
  await page.goto('/');
  const href = (await page.locator('link[rel="manifest"]').getAttribute('href')) ?? '';
  const answer = await page.request.get(href);
  expect(answer.headers()['content-type']).toContain('manifest');
  const manifest = (await answer.json()) as {
    name: string;
    start_url: string;
    display: string;
    icons: { src: string; sizes: string; purpose: string }[];
  };
  expect(manifest).toMatchObject({ name: 'Tirta', start_url: '/', display: 'standalone' });
  expect(manifest.icons.some(({ purpose }) => purpose === 'maskable')).toBe(true);
  for (const { src } of manifest.icons) expect((await page.request.get(src)).status(), src).toBe(200);
});

test('without a network the frame opens and says so, and what the interface said is kept nowhere', async ({
  signedIn: page,
}) => {
  await page.goto('/');
  await expect(page.locator('[data-average-value]').first()).toBeVisible();
  const kept = await page.evaluate(async () => {
    if (!('serviceWorker' in navigator)) return false;
    return Promise.race([
      navigator.serviceWorker.ready.then(() => true),
      new Promise<false>((no) => setTimeout(() => no(false), 20_000)),
    ]);
  });
  // A browser keeps nothing of a site whose authority it does not know: then there is nothing to judge.
  test.skip(!kept, 'this browser keeps no service worker of this address');
  await page.reload();
  await expect(page.locator('[data-average-value]').first()).toBeVisible();
  const cached = await page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
    return found;
  });
  expect(cached).toContain('/');
  expect(cached.filter((path) => path.startsWith('/api/'))).toEqual([]);

  await page.context().setOffline(true);
  await page.reload();
  await expect(
    page.locator('[data-unreachable]').getByRole('button', { name: id.common.retry }),
  ).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.locator('[data-average-value]').first()).toBeVisible();
});

test('a page whose files do not come says so, and is there once they come', async ({ signedIn: page }) => {
  await page.goto('/');
  await expect(page.locator('[data-average-value]').first()).toBeVisible();
  // Neither the page as built nor its source, as a development server has it.
  const files = /OutagesPage[^/]*\.(js|svelte)/;
  await page.context().route(files, (route) => route.abort());
  // A link of its own: a phone keeps this place under "more".
  await page.evaluate(() => {
    const link = Object.assign(document.createElement('a'), { href: '/outages' });
    document.body.append(link);
    link.click();
  });
  const instead = page.locator('[data-unloaded]');
  await expect(instead).toContainText(id.app.unloaded);
  await page.context().unroute(files);
  await instead.getByRole('button', { name: id.common.retry }).click();
  await expect(page.getByRole('heading', { level: 1, name: id.outages.title })).toBeVisible();
});
