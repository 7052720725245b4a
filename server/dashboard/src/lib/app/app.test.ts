// Checks that a newer version loads where somebody pressed, and is only offered in the other tabs.
import { expect, it, vi } from 'vitest';

/** A tab, as far as the application knows it: a service worker that waits, and the address that can be loaded anew. */
async function tab() {
  vi.resetModules();
  const heard: Record<string, () => void> = {};
  const [reload, postMessage] = [vi.fn(), vi.fn()];
  const registration = {
    waiting: { postMessage },
    addEventListener: () => undefined,
    update: async () => undefined,
  };
  const serviceWorker = {
    controller: {},
    addEventListener: (name: string, run: () => void) => (heard[name] = run),
    register: async () => registration,
  };
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('document', { addEventListener: () => undefined });
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('setInterval', () => 0);
  vi.stubGlobal('location', { reload });
  vi.stubGlobal('navigator', { onLine: true, serviceWorker });
  const { app } = await import('./app.svelte');
  await app.keep();
  return { app, reload, postMessage, takenOver: () => heard.controllerchange?.() };
}

it('loads the new version where it was pressed', async () => {
  const { app, reload, postMessage, takenOver } = await tab();
  expect(app.hasUpdate).toBe(true);
  app.update();
  expect(postMessage).toHaveBeenCalledWith('take-over');
  expect(reload).not.toHaveBeenCalled();
  takenOver();
  expect(reload).toHaveBeenCalledOnce();
});

it('only offers it in a tab where nobody pressed', async () => {
  const { app, reload, postMessage, takenOver } = await tab();
  takenOver();
  expect(reload).not.toHaveBeenCalled();
  expect(app.hasUpdate).toBe(true);
  app.update();
  expect(postMessage).not.toHaveBeenCalled();
  expect(reload).toHaveBeenCalledOnce();
});
