// Owns boards that are not there: requests to enrol, as a new Raspberry Pi would send them, and labels for them.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import qrcode from 'qrcode-generator';
import { expect, type Page } from './fixtures';

/** Nobody has used it before: the server of these tests lives through several runs. */
export const newSerial = (): string => `1000${randomBytes(6).toString('hex')}`;

/** A place that nothing is registered at, so that no reserved name is given away. */
export const newPlace = (): string => `Kolam uji ${randomBytes(3).toString('hex')}`;

function certificateRequest(serial: string): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  return execFileSync('openssl', ['req', '-new', ...key, '-subj', `/CN=${serial}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** A board that nobody expects asks to join, with a new key each time and a token that lets in registered boards of another place. */
export async function boardThatWaits(page: Page, serial = newSerial()): Promise<string> {
  const order = { uses: 1, valid_s: 3_600, note: 'uji', admits: 'registered', location: newPlace() };
  const made = await page.request.post('/api/v1/enrolment-tokens', { data: order });
  expect(made.status(), await made.text()).toBe(201);
  const { token } = (await made.json()) as { token: string };
  const csr = certificateRequest(serial);
  const asked = await page.request.post('/api/v1/enrol', {
    data: { serial, token, csr, model: 'Raspberry Pi 4 Model B Rev 1.5' },
  });
  expect(asked.status(), await asked.text()).toBe(202);
  return serial;
}

/** A device that was let in and never showed itself. */
export async function deviceThatNeverCame(page: Page, location: string): Promise<string> {
  const serial = await boardThatWaits(page);
  const { waiting } = (await (await page.request.get('/api/v1/waiting')).json()) as {
    waiting: { id: string; serial: string }[];
  };
  const name = `uji-${serial.slice(-8)}`;
  const asked = waiting.find((board) => board.serial === serial);
  const approved = await page.request.post(`/api/v1/waiting/${asked?.id}/approve`, {
    data: { name, location },
  });
  expect(approved.ok(), await approved.text()).toBe(true);
  return name;
}

/** The label of a board as a picture, with the border that a QR code needs. */
export async function labelOf(page: Page, text: string): Promise<Buffer> {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  const rows = Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => code.isDark(y, x)),
  );
  return picture(page, rows);
}

/** Draws squares, dark or light, in the page, which can write a PNG. */
export async function picture(page: Page, rows: readonly (readonly boolean[])[]): Promise<Buffer> {
  const base64 = await page.evaluate((dark) => {
    const [side, border] = [6, 4];
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = (dark.length + 2 * border) * side;
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = 'black';
    dark.forEach((row, y) =>
      row.forEach((is, x) => is && context.fillRect((x + border) * side, (y + border) * side, side, side)),
    );
    return canvas.toDataURL('image/png').split(',')[1] ?? '';
  }, rows);
  return Buffer.from(base64, 'base64');
}
