// Enrolment tokens, language and appearance.
import { devices, en, expect, id, kept, test } from './fixtures';

test('a token is made, shown once, listed and revoked', async ({ signedIn: page }) => {
  const note = `uji ${Date.now()}`;
  await page.goto('/enrolment');
  await page.getByLabel(id.tokens.note, { exact: true }).fill(note);
  await page.getByLabel(id.tokens.uses, { exact: true }).fill('0');
  await expect(page.getByRole('button', { name: id.tokens.submit })).toBeDisabled();
  await page.getByLabel(id.tokens.uses, { exact: true }).fill('3');
  await page.getByRole('button', { name: id.tokens.submit }).click();

  await expect(page.getByText(id.tokens.once)).toBeVisible();
  const token = await page.locator('[data-copy]').nth(1).textContent();
  if (!token) throw new Error('no token is shown');
  expect(token.length).toBeGreaterThan(15);
  await page.getByRole('button', { name: id.tokens.close }).click();
  await expect(page.getByText(token)).toHaveCount(0);

  const row = page.locator('[data-token]').filter({ hasText: note });
  await expect(row).toContainText('3');
  await page.reload();
  await expect(page.getByText(token)).toHaveCount(0);
  await row.getByRole('button', { name: id.tokens.removeNamed(note) }).click();
  await row.getByRole('button', { name: id.tokens.remove, exact: true }).click();
  await expect(row).toHaveAttribute('data-token-state', 'revoked');
});

test('the language changes every word and number at once, and is remembered', async ({ signedIn: page }) => {
  await page.goto('/profile');
  await page.getByText('English', { exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: en.profile.title })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await kept(page, { language: 'en' });
  await page.goto('/devices');
  await devices(page);
  const value = page.locator('[data-metric="temperature"] [data-value]').first();
  await expect(value).toHaveText(/^\d+\.\d$/);
  await page.goto('/profile');
  await page.getByText('Indonesia', { exact: true }).click();
  await kept(page, { language: 'id' });
  await page.goto('/devices');
  await expect(value).toHaveText(/^\d+,\d$/);
});

test('dark is dark from the first paint, and the system is followed on request', async ({
  signedIn: page,
}) => {
  await page.goto('/profile');
  await page.getByText(id.settings.themes.dark, { exact: true }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await kept(page, { theme: 'dark' });
  await page.goto('/', { waitUntil: 'commit' });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.goto('/profile');
  await page.locator('#content').getByText(id.settings.themes.system, { exact: true }).click();
  await kept(page, { theme: 'system' });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
