// A technician beside the tank: the QR code on a photo, the board that belongs to it, the place, the next one.
import { boardThatWaits, labelOf, newPlace, newSerial, picture } from './boards';
import { expect, id, PASSWORD, shown, test, USER, type Page } from './fixtures';
import { another, disabled, fillSignIn, newName, OWN, person } from './persons';

const t = id.claim;

async function photograph(page: Page, buffer: Buffer): Promise<void> {
  await page.locator('input[type=file]').setInputFiles({ name: 'label.png', mimeType: 'image/png', buffer });
}

/** A name for a board that is to come. */
async function reservedName(page: Page, location: string): Promise<string> {
  const from = 10_000 + Math.floor(Math.random() * 20_000);
  const answer = await page.request.post('/api/v1/registrations/range', {
    data: { from, to: from, location },
  });
  expect(answer.ok(), await answer.text()).toBe(true);
  return `pi-${from}`;
}

test('the label on a photo leads to the board, its place, and the next label', async ({
  signedIn: page,
  baseURL,
}, info) => {
  const serial = await boardThatWaits(page);
  const name = await reservedName(page, 'Gudang uji');
  const place = newPlace();
  await page.goto('/claim');
  await shown(page, info, 'claim-scan');
  await photograph(page, await labelOf(page, `${baseURL}/claim/${name}`));

  const form = page.locator(`[data-claim="${name}"]`);
  await expect(form).toContainText(t.expected);
  await expect(form.getByLabel(t.location)).toHaveValue('Gudang uji');
  await form.getByText(serial).click();
  await form.getByLabel(t.location).fill('');
  await form.getByRole('button', { name: t.submit }).click();
  await expect(form.getByRole('alert')).toContainText(t.locationMissing);
  await form.getByLabel(t.location).fill(place);
  await shown(page, info, 'claim-place');
  await form.getByRole('button', { name: t.submit }).click();

  const done = page.locator(`[data-claimed="${name}"]`);
  await expect(done).toContainText(t.doneAt(place));
  await expect(done).toContainText(t.approved);
  await expect(done).toContainText(serial);
  await shown(page, info, 'claim-done');
  await done.getByRole('button', { name: t.next }).click();
  await expect(page.getByText(t.or)).toBeVisible();
  await page.goto('/waiting');
  await expect(page.locator('[data-returns="closed"], [data-returns="open"]')).toBeVisible();
  await expect(page.locator(`[data-waiting="${serial}"]`)).toBeHidden();
});

test('a board that waits and stands nowhere is let in by its serial, where it is', async ({
  signedIn: page,
}) => {
  const serial = await boardThatWaits(page);
  const place = newPlace();
  await page.goto('/claim');
  await page.getByLabel(t.typed).fill(serial.toUpperCase());
  await page.getByRole('button', { name: t.go, exact: true }).click();
  const form = page.locator(`[data-claim="${serial}"]`);
  await expect(form).toContainText(t.waits);
  await form.getByLabel(t.location).fill(place);
  await form.getByRole('button', { name: t.submit }).click();
  const done = page.locator('[data-claimed]');
  await expect(done).toContainText(t.doneAt(place));
  await expect(done).toContainText(t.approved);
});

test('a technician hears before filling anything in that a supervisor has to let the board in', async ({
  signedIn: page,
  browser,
  baseURL,
}) => {
  const serial = await boardThatWaits(page);
  const reserved = await reservedName(page, 'Gudang uji');
  const name = newName('joko');
  await person(page, name, 'technician');
  const joko = await another(browser, page, baseURL);
  await joko.goto(`/claim?serial=${serial}`);
  await fillSignIn(joko, name, OWN);
  const form = joko.locator(`[data-claim="${serial}"]`);
  await expect(form).toContainText(t.supervisor);
  await expect(form.locator('[data-copy]')).toHaveText(serial);
  await expect(form.getByLabel(t.location)).toHaveCount(0);
  await expect(form.getByRole('button', { name: t.submit })).toHaveCount(0);

  // Where a reserved name stands can be said; its board is the supervisor's to choose.
  await joko.goto(`/claim/${reserved}?serial=${serial}`);
  const place = newPlace();
  const named = joko.locator(`[data-claim="${reserved}"]`);
  await expect(named).toContainText(t.supervisorBoard);
  await named.getByLabel(t.location).fill(place);
  await named.getByRole('button', { name: t.submit }).click();
  await expect(joko.locator(`[data-claimed="${reserved}"]`)).toContainText(t.noBoard);

  // What is somebody else's to do is not counted at this place, and the page says whose it is.
  await joko.goto('/waiting');
  await expect(joko.locator(`[data-waiting="${serial}"]`)).toBeVisible();
  await expect(joko.locator('[data-whose-task]')).toHaveText(id.identity.waiting.whose);
  await expect(joko.locator('[data-badge-of="waiting"]')).toHaveCount(0);
  await disabled(page, name);
});

test('a picture without a label, another code and a wrong word are told apart', async ({
  signedIn: page,
}) => {
  await page.goto('/claim');
  await photograph(
    page,
    await picture(page, [
      [true, false],
      [false, true],
    ]),
  );
  await expect(page.getByRole('alert')).toContainText(t.notFound);
  await photograph(page, await labelOf(page, 'https://example.com/menu'));
  await expect(page.getByRole('alert')).toContainText(t.notOurs('https://example.com/menu'));
  await page.getByLabel(t.typed).fill('alat nomor tujuh');
  await page.getByRole('button', { name: t.go, exact: true }).click();
  await expect(page.getByText(t.typedWrong)).toBeVisible();
});

test('what the server does not know is said before and after it is sent', async ({ signedIn: page }) => {
  const serial = newSerial();
  await page.goto(`/claim?serial=${serial}`);
  const form = page.locator(`[data-claim="${serial}"]`);
  await expect(form).toContainText(t.unknown);
  await form.getByLabel(t.location).fill(newPlace());
  await form.getByRole('button', { name: t.submit }).click();
  await expect(form.getByRole('alert')).toContainText(id.problem.unknownLabel);
});

test('the phone’s own camera opens the label’s address, and signing in goes on there', async ({ page }) => {
  const serial = newSerial();
  await page.goto(`/claim/pi-1?serial=${serial}`);
  await page.getByLabel(id.signIn.user).fill(USER);
  await page.getByLabel(id.signIn.password, { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: id.signIn.submit, exact: true }).click();
  const form = page.locator('[data-claim="pi-1"]');
  await expect(form).toContainText(serial);
  await form.getByRole('button', { name: t.another }).click();
  await expect(page.getByText(t.or)).toBeVisible();
  expect(new URL(page.url()).pathname).toBe('/claim');
});
