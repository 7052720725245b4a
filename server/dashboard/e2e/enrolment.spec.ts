// Who is let in: a token with its rules becomes a fleet file; a board that nobody expects waits, is let in or refused.
import { readFile } from 'node:fs/promises';
import { boardThatWaits, newPlace, newSerial } from './boards';
import { expect, id, shown, test } from './fixtures';

const t = id.identity.waiting;

test('a token with its rules becomes a fleet file, and is revoked', async ({ signedIn: page }, info) => {
  const note = `uji ${Date.now()}`;
  const place = newPlace();
  const serial = newSerial();
  await page.goto('/enrolment');
  await page.getByLabel(id.tokens.note, { exact: true }).fill(note);
  await page.getByLabel(id.tokens.uses, { exact: true }).fill('3');
  await page.getByRole('radio', { name: id.tokens.admitsAny }).check();
  await page.getByText(id.tokens.limits).click();
  await page.getByLabel(id.tokens.location).fill(place);
  const submit = page.getByRole('button', { name: id.tokens.submit });
  await page.getByLabel(id.tokens.serials).fill('bukan-nomor');
  await expect(page.getByText(id.tokens.serialsWrong('bukan-nomor'))).toBeVisible();
  await expect(submit).toBeDisabled();
  await page.getByLabel(id.tokens.serials).fill(`${serial.toUpperCase()}\n`);
  await expect(page.getByText(id.tokens.serialsCount(1, '1'), { exact: true })).toBeVisible();
  await shown(page, info, 'token-form');
  await submit.click();

  await expect(page.getByText(id.tokens.once)).toBeVisible();
  await shown(page, info, 'fleet-file');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: id.tokens.download }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('tirta-fleet.toml');
  const text = await readFile(await file.path(), 'utf8');
  expect(text).toMatch(/^ca_sha256 = "[0-9a-f]{64}"$/m);
  expect(text).toMatch(/^token = ".{16,}"$/m);
  expect(await page.locator('[data-copy]').first().textContent()).toBe(text);
  await page.getByRole('button', { name: id.tokens.close }).click();

  const row = page.locator('[data-token]').filter({ hasText: note });
  await expect(row).toHaveAttribute('data-token-state', 'usable');
  for (const words of [id.tokens.admitsAny, place, id.tokens.left('3', '3')])
    await expect(row).toContainText(words);
  await row.getByRole('button', { name: id.tokens.removeNamed(note) }).click();
  await expect(row).toContainText(id.tokens.removeSure);
  await expect(row.getByRole('button', { name: id.tokens.remove, exact: true })).toBeFocused();
  await row.getByRole('button', { name: id.tokens.remove, exact: true }).click();
  await expect(row).toHaveAttribute('data-token-state', 'revoked');
  await expect(row).toContainText(id.tokens.states.revoked);
});

test('a board that nobody expects waits, is counted, and is let in under the name that somebody gives it', async ({
  signedIn: page,
}, info) => {
  await page.goto('/waiting');
  await expect(page.getByRole('heading', { level: 1, name: t.title })).toBeVisible();
  const serial = await boardThatWaits(page);
  // By itself: nobody reloads the page.
  const card = page.locator(`[data-waiting="${serial}"]`);
  await expect(card).toContainText(t.reasons.not_expected.hint);
  await expect(card).toContainText('Raspberry Pi 4 Model B Rev 1.5');
  await expect(page.getByRole('navigation').locator('[data-badge-of="waiting"]')).toBeVisible();
  await shown(page, info, 'waiting');

  await card.getByRole('button', { name: t.approveNamed(serial) }).click();
  const dialog = page.getByRole('dialog');
  const name = `uji-${serial.slice(-8)}`;
  const place = newPlace();
  await dialog.getByLabel(t.name, { exact: true }).fill('Nama Salah!');
  await expect(dialog.getByText(t.nameWrong)).toBeVisible();
  await expect(dialog.getByRole('button', { name: t.submit })).toBeDisabled();
  await dialog.getByLabel(t.name, { exact: true }).fill(name);
  await dialog.getByLabel(t.location).fill(place);
  await shown(page, info, 'approve');
  await dialog.getByRole('button', { name: t.submit }).click();
  await expect(page.getByText(t.approved(name))).toBeVisible();
  await expect(card).toBeHidden();

  await page.goto(`/devices/${name}`);
  await expect(page.locator('[data-location]').first()).toHaveText(place);
  await expect(page.locator('[data-identity] [data-audit="device.approved"]')).toBeVisible();
});

test('a board that comes back with another key gets its name again, once somebody has said so', async ({
  signedIn: page,
}, info) => {
  const serial = await boardThatWaits(page);
  await page.goto('/waiting');
  const card = page.locator(`[data-waiting="${serial}"]`);
  const submit = page.getByRole('dialog').getByRole('button', { name: t.submit });
  const name = `uji-${serial.slice(-8)}`;
  await card.getByRole('button', { name: t.approveNamed(serial) }).click();
  await page.getByRole('dialog').getByLabel(t.name, { exact: true }).fill(name);
  await submit.click();
  await expect(card).toBeHidden();

  await boardThatWaits(page, serial);
  await expect(card).toHaveAttribute('data-reason', 'second_key');
  await expect(card).toContainText(t.reasons.second_key.hint);
  await expect(card.getByRole('link', { name })).toBeVisible();
  await card.scrollIntoViewIfNeeded();
  await shown(page, info, 'second-key');
  await card.getByRole('button', { name: t.approveNamed(serial) }).click();
  await expect(page.getByRole('dialog')).toContainText(t.back(name));
  await shown(page, info, 'approve-again');
  await submit.click();
  // The message about the first time may still be there.
  await expect(page.getByText(t.approved(name)).last()).toBeVisible();
  await expect(card).toBeHidden();
});

test('another board takes the place of a device, with its name', async ({ signedIn: page }, info) => {
  const words = id.identity.replace;
  const broken = await boardThatWaits(page);
  const spare = await boardThatWaits(page);
  const name = `uji-${broken.slice(-8)}`;
  await page.goto('/waiting');
  await page.getByRole('button', { name: t.approveNamed(broken) }).click();
  await page.getByRole('dialog').getByLabel(t.name, { exact: true }).fill(name);
  await page.getByRole('dialog').getByRole('button', { name: t.submit }).click();
  await expect(page.locator(`[data-waiting="${broken}"]`)).toBeHidden();

  await page.goto(`/devices/${name}`);
  await page.getByRole('button', { name: words.open }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: spare }).check();
  await shown(page, info, 'replace');
  await dialog.getByRole('button', { name: words.submit }).click();
  await expect(page.getByText(words.done(name))).toBeVisible();
  await expect(page.locator('dd', { hasText: spare })).toBeVisible();
  await expect(page.locator('[data-identity] [data-audit="device.replaced"]')).toBeVisible();
});

test('a board is refused only after a second look', async ({ signedIn: page }) => {
  const serial = await boardThatWaits(page);
  await page.goto('/waiting');
  const card = page.locator(`[data-waiting="${serial}"]`);
  await card.getByRole('button', { name: t.refuseNamed(serial) }).click();
  await expect(card).toContainText(t.refuseSure);
  await card.getByRole('button', { name: id.common.cancel }).click();
  await card.getByRole('button', { name: t.refuseNamed(serial) }).click();
  await card.getByRole('button', { name: t.refuse, exact: true }).click();
  await expect(card).toBeHidden();
  await page.reload();
  await expect(page.locator('[data-returns="closed"], [data-returns="open"]')).toBeVisible();
  await expect(card).toBeHidden();
});

test('re-flashed boards may come back for an hour, or until somebody ends it', async ({
  signedIn: page,
}, info) => {
  const words = id.identity.returns;
  await page.goto('/waiting');
  await page.getByRole('button', { name: words.let(words.lengths.h1) }).click();
  await expect(page.locator('[data-returns="open"]')).toBeVisible();
  await shown(page, info, 'returns');
  await page.reload();
  await page.getByRole('button', { name: words.close }).click();
  await expect(page.locator('[data-returns="closed"]')).toBeVisible();
});
