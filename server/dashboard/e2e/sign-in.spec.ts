// The journey in and out: a wrong password, the right one, a deep link, and signing out.
import { expect, id, PASSWORD, test, USER } from './fixtures';
import { fillSignIn } from './persons';

test('a wrong password is told plainly, and the right one leads to where the link pointed', async ({
  page,
}) => {
  await page.goto('/settings');
  await fillSignIn(page, USER, 'certainly-not-it');
  await expect(page.getByRole('alert')).toContainText(id.signIn.wrong);
  await expect(page.getByLabel(id.signIn.password, { exact: true })).toBeFocused();

  await fillSignIn(page, USER, PASSWORD);
  await expect(page.getByRole('heading', { level: 1, name: id.settings.title })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe('/settings');
});

test('an empty form asks for what is missing, in the language just chosen', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: id.signIn.submit, exact: true }).click();
  await expect(page.getByRole('alert')).toContainText(id.signIn.missing);
  await page.getByText('English', { exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('Enter your user name and password.');
});

test('signing out ends the session on the server, too', async ({ page }) => {
  await page.goto('/settings');
  await fillSignIn(page, USER, PASSWORD);
  await page.getByRole('main').getByRole('button', { name: id.settings.signOut }).click();
  await expect(page.getByRole('heading', { level: 1, name: id.signIn.title })).toBeVisible();
  expect((await page.request.get('/api/v1/devices')).status()).toBe(401);
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1, name: id.signIn.title })).toBeVisible();
});
