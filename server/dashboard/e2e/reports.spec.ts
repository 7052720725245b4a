// Reports: chosen by the address, read on a phone, taken as a file, and printed on paper with nothing that leads anywhere.
import AxeBuilder from '@axe-core/playwright';
import { reportsId as t } from '../src/lib/i18n/reports.id';
import { expect, onlineDevice, test } from './fixtures';

const folder = process.env.TIRTA_SHOTS;

test('a report tells of the week, of one device if it is chosen, and is a file section by section', async ({
  signedIn: page,
}) => {
  const name = await onlineDevice(page);
  await page.goto('/reports?period=this-week');
  const report = page.locator('[data-report]');
  await expect(report).toBeVisible();
  await expect(report.locator('[data-report-simulated]')).toContainText('simulasi');
  const all = report.locator('[data-report-section="availability"] [data-report-row]');
  await expect(all.filter({ hasText: new RegExp(`${name}(?!\\d)`) })).toHaveCount(1);
  await expect(report.locator('[data-report-section="statistics"]')).toContainText('pH');

  const findings = await new AxeBuilder({ page }).analyze();
  const serious = findings.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id: rule, nodes }) => [rule, nodes.map(({ html }) => html)])).toEqual([]);

  await page.locator('summary').first().click();
  await page.getByLabel(name, { exact: true }).check();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(new RegExp(`device=${name}`));
  await expect(all).toHaveCount(1);

  const waiting = page.waitForEvent('download');
  await page.getByRole('link', { name: t.csvOf(t.statistics.title) }).click();
  const file = await waiting;
  expect(file.suggestedFilename()).toBe('tirta-statistics.csv');
  const text = await (await file.createReadStream()).toArray();
  expect(Buffer.concat(text as Buffer[]).toString()).toContain(`${name},`);

  await page.getByLabel(t.period, { exact: true }).selectOption('own');
  await page.getByLabel(t.from, { exact: true }).fill('2020-01-02');
  await page.getByLabel(t.to, { exact: true }).fill('2020-01-01');
  await expect(page.getByText(t.problem.order).first()).toBeVisible();
});

test('a report on paper is black on white, says of when it is and who made it, and has no navigation', async ({
  signedIn: page,
}, info) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/reports?period=this-week&per=day');
  await expect(page.locator('[data-report]')).toBeVisible();
  await expect(page.locator('[data-report-head]')).toBeHidden();
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(beyond).toBeLessThanOrEqual(0);
  if (folder) await page.screenshot({ path: `${folder}/reports-${info.project.name}.png`, fullPage: true });

  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const head = page.locator('[data-report-head]');
  await expect(head).toContainText(t.head.of);
  await expect(head).toContainText('admin');
  await expect(head).toContainText('WIB');
  await expect(page.locator('[data-report-signatures]')).toContainText(t.sign.checked);
  for (const gone of ['nav', '.no-print', '[data-banner]'])
    await expect(page.locator(gone).filter({ visible: true })).toHaveCount(0);
  const [ground, ink] = await page.evaluate(() => [
    getComputedStyle(document.body).backgroundColor,
    getComputedStyle(document.querySelector('[data-report] td') ?? document.body).color,
  ]);
  expect([ground, ink]).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
  // Also from a phone it is a table on paper.
  await expect(page.locator('[data-report] thead').first()).toBeVisible();
  const paper = await page.pdf({ preferCSSPageSize: true });
  expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
  if (folder) {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${folder}/report-${info.project.name}.pdf`, paper);
  }
});
