// Owns the application as such: whether a newer version waits, whether the browser offers to install it, whether there is a
// network. The service worker keeps the frame; it needs HTTPS that the browser trusts, and everything works without it.

/** Whoever keeps the page open for weeks hears of a new version within the hour. */
const LOOK_EVERY_MS = 3_600_000;

/** Chromium's event; other browsers install by their own menu. */
interface InstallEvent extends globalThis.Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

class App {
  #waiting = $state.raw<ServiceWorker | null>(null);
  #missing = $state(false);
  #offer = $state.raw<InstallEvent | null>(null);
  #pressed = false;
  #online = $state(navigator.onLine);

  constructor() {
    addEventListener('online', () => (this.#online = true));
    addEventListener('offline', () => (this.#online = false));
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault(); // it is offered in the profile, not in the way
      this.#offer = event as InstallEvent;
    });
    addEventListener('appinstalled', () => (this.#offer = null));
    // A page of this version that the server no longer has: only the new version helps.
    addEventListener('vite:preloadError', () => (this.#missing = navigator.onLine));
  }

  get online(): boolean {
    return this.#online;
  }

  get hasUpdate(): boolean {
    return this.#waiting !== null || this.#missing;
  }

  get canInstall(): boolean {
    return this.#offer !== null;
  }

  async install(): Promise<void> {
    const offer = this.#offer;
    if (offer && (await offer.prompt()).outcome === 'accepted') this.#offer = null;
  }

  /** Upon a press: nobody's half-filled form is taken away. */
  update(): void {
    this.#pressed = true;
    if (!this.#waiting) location.reload();
    else this.#waiting.postMessage('take-over');
  }

  /** Never rejects: where it can't be kept (no HTTPS, an own authority that the browser does not know), it is not. */
  async keep(): Promise<void> {
    if (!('serviceWorker' in navigator) || !isSecureContext) return;
    const { serviceWorker } = navigator;
    // The first one takes over a page that is as new as itself.
    const renewed = serviceWorker.controller !== null;
    serviceWorker.addEventListener('controllerchange', () => {
      if (!renewed) return;
      // Somebody pressed it in another tab: what is half typed in this one stays until it is pressed here, too.
      if (this.#pressed) location.reload();
      else [this.#waiting, this.#missing] = [null, true];
    });
    try {
      const kept = await serviceWorker.register('/service-worker.js', { updateViaCache: 'none' });
      this.#look(kept);
      kept.addEventListener('updatefound', () => {
        const { installing } = kept;
        installing?.addEventListener('statechange', () => this.#look(kept));
      });
      const again = (): void => void kept.update().catch(() => undefined);
      setInterval(again, LOOK_EVERY_MS);
      document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && again());
    } catch {
      // Then the frame comes from the server each time, as before.
    }
  }

  #look({ waiting }: ServiceWorkerRegistration): void {
    if (waiting && navigator.serviceWorker.controller) this.#waiting = waiting;
  }
}

export const app = new App();
