// The audit log: what was just done stands at its top, and it can be read for one device alone.
import { expect, id, onlineDevice, shown, test } from './fixtures';

const t = id.audit;
/** How a device came in, whether or not somebody had to let it in. */
const CAME_IN = '[data-audit="device.enrolled"], [data-audit="device.approved"]';

test('an act is written down with who did it, and a device has a log of its own', async ({
  signedIn: page,
}, info) => {
  const name = await onlineDevice(page);
  const order = { uses: 7, valid_s: 3_600, note: 'uji catatan' };
  const made = await page.request.post('/api/v1/enrolment-tokens', { data: order });
  expect(made.status()).toBe(201);

  await page.goto('/audit');
  // What rules and the server do meanwhile may stand above it.
  const newest = page.locator('[data-audit="token.created"]').first();
  await expect(newest).toContainText(t.acts['token.created']);
  await expect(newest).toContainText('admin');
  await expect(newest).toContainText(`${t.keys.uses} 7`);
  await shown(page, info, 'audit');

  await page.getByLabel(t.device, { exact: true }).selectOption(name);
  await page.getByLabel(t.kind, { exact: true }).selectOption('devices');
  await expect(page.locator(CAME_IN).first()).toBeVisible();
  await expect(
    page.locator('[data-audit^="token."], [data-audit^="alert"], [data-audit^="user."]'),
  ).toHaveCount(0);
  await page.reload();
  await expect(page.getByLabel(t.device, { exact: true })).toHaveValue(name);
  await expect(page.getByLabel(t.kind, { exact: true })).toHaveValue('devices');
  await expect(page.locator(CAME_IN).first()).toBeVisible();
});

test('the log is narrowed to a group of acts or to one kind, and says when there is none', async ({
  signedIn: page,
}) => {
  const name = await onlineDevice(page);
  await page.request.put('/api/v1/enrolment-policy', { data: { returns_for_s: 0 } });
  await page.goto('/audit');
  const kind = page.getByLabel(t.kind, { exact: true });
  const all = page.locator('[data-audit]');
  await kind.selectOption('enrolment');
  await expect(page.locator('[data-audit="policy.changed"]').first()).toBeVisible();
  await expect(page.locator('[data-audit^="device."], [data-audit^="alert"]')).toHaveCount(0);
  await kind.selectOption('alerts');
  await expect(page.locator('[data-audit="policy.changed"]')).toHaveCount(0);
  await kind.selectOption('policy.changed');
  await expect(all.first()).toHaveAttribute('data-audit', 'policy.changed');
  await expect(page.locator('[data-audit]:not([data-audit="policy.changed"])')).toHaveCount(0);
  await page.getByLabel(t.device, { exact: true }).selectOption(name);
  await expect(page.getByText(t.noMatch)).toBeVisible();
  await page.getByRole('link', { name: t.all, exact: true }).click();
  await expect(kind).toHaveValue('');
  await expect(all.first()).toBeVisible();
});

test('a device shows its certificate and what happened to it', async ({ signedIn: page }, info) => {
  const name = await onlineDevice(page);
  await page.goto(`/devices/${name}`);
  const card = page.locator('[data-identity]');
  await expect(card).toHaveAttribute('data-life', 'ok');
  await expect(card).toContainText(id.identity.card.certificate);
  await expect(card.locator(CAME_IN).first()).toBeVisible();
  await card.scrollIntoViewIfNeeded();
  await shown(page, info, 'identity');
  await card.getByRole('link', { name: id.identity.card.historyMore }).click();
  await expect(page.getByRole('heading', { level: 1, name: t.title })).toBeVisible();
  await expect(page.getByLabel(t.device, { exact: true })).toHaveValue(name);
  await expect(page.getByLabel(t.kind, { exact: true })).toHaveValue('devices');
});

test('the log is searched, says how it ends, is checked at a press and leaves as files that hold its end', async ({
  signedIn: page,
}, info) => {
  const c = id.chain;
  const order = { uses: 1, valid_s: 3_600, note: 'uji rantai' };
  expect((await page.request.post('/api/v1/enrolment-tokens', { data: order })).status()).toBe(201);
  await page.goto('/audit');
  const search = page.getByLabel(t.search);
  await search.fill('tidak pernah terjadi');
  await search.press('Enter');
  await expect(page.getByText(t.noMatch)).toBeVisible();
  await search.fill('ADMIN');
  await search.press('Enter');
  await expect(page.locator('[data-audit="token.created"]').first()).toBeVisible();
  const chain = page.locator('[data-chain]');
  await expect(chain.locator('[data-head]')).toHaveText(/^\d+:[0-9a-f]{64}$/);
  await chain.getByRole('button', { name: c.check }).click();
  await expect(chain).toHaveAttribute('data-chain', 'intact');
  await expect(chain.getByRole('status')).toContainText(c.intact('').slice(0, 5));
  await shown(page, info, 'audit-chain');
  for (const [name, ending] of [
    [c.csv, 'csv'],
    [c.jsonl, 'jsonl'],
  ] as const) {
    const download = page.waitForEvent('download');
    await chain.getByRole('link', { name }).click();
    expect((await download).suggestedFilename()).toMatch(new RegExp(`^tirta-audit-\\d+\\.${ending}$`));
  }
});
