// The journey of an API key: made with its scopes, shown once, used by a program whose device appears, and revoked.
import AxeBuilder from '@axe-core/playwright';
import { expect, id, shown, test } from './fixtures';

const t = id.keys;

test('a key is made, lets a program hand in a reading, and opens nothing once it is revoked', async ({
  signedIn: page,
  playwright,
  baseURL,
}, info) => {
  const name = `gateway-${info.project.name}-${Date.now().toString(36)}`;
  await page.goto('/keys');
  await expect(page.getByRole('heading', { level: 1, name: t.title, exact: true })).toBeVisible();
  await page.getByRole('button', { name: t.submit, exact: true }).click();
  await expect(page.getByLabel(t.name, { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel(t.name, { exact: true }).fill(name);
  await page.getByLabel(t.scope.write_readings, { exact: true }).check();
  await page.getByLabel(t.scope.approve_devices, { exact: true }).check();
  await page.getByLabel(t.devices, { exact: true }).fill('Sumur 3');
  await expect(page.getByText(t.devicesWrong('Sumur, 3'))).toBeVisible();
  await page.getByLabel(t.devices, { exact: true }).fill('');
  const scan = await new AxeBuilder({ page }).analyze();
  expect(scan.violations.map(({ id: rule, nodes }) => `${rule}: ${nodes[0]?.html}`)).toEqual([]);
  await page.getByRole('button', { name: t.submit, exact: true }).click();

  const once = page.locator(`[data-key-made="${name}"]`);
  await expect(once.getByText(t.once)).toBeVisible();
  const key = (await once.locator('[data-copy]').first().textContent()) ?? '';
  expect(key).toMatch(/^tirta_key_[\w-]{43}$/);
  await expect(once.locator('[data-copy]').nth(1)).toContainText('/api/v1/readings');
  await shown(page, info, 'keys');
  await once.getByRole('button', { name: t.close, exact: true }).click();
  await expect(page.getByText(key)).toHaveCount(0);

  const program = await playwright.request.newContext({
    baseURL: baseURL ?? '',
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { authorization: `Bearer ${key}` },
  });
  const device = name.slice(0, 32).replace(/-+$/, '');
  expect(
    (await program.post('/api/v1/devices', { data: { name: device, location: 'Sumur' } })).status(),
  ).toBe(201);
  const reading = { device, metric: 'ph', time: Date.now(), value: 7.02, unit: 'pH', simulated: true };
  expect((await program.post('/api/v1/readings', { data: reading })).status()).toBe(201);
  expect((await program.post('/api/v1/readings', { data: reading })).status()).toBe(200);
  expect((await program.get('/api/v1/users')).status()).toBe(403);
  await page.goto(`/devices/${device}`);
  await expect(page.locator('[data-boardless]')).toHaveText(t.boardless);

  await page.goto('/keys');
  const row = page.locator(`[data-key="${name}"]`);
  await expect(row).toHaveAttribute('data-key-state', 'good');
  await row.getByRole('button', { name: t.revokeNamed(name) }).click();
  await row.getByRole('button', { name: t.revoke, exact: true }).click();
  await expect(row).toHaveAttribute('data-key-state', 'revoked');
  expect((await program.get('/api/v1/devices')).status()).toBe(401);
  await program.dispose();
  await page.request.delete(`/api/v1/devices/${device}`);
});
