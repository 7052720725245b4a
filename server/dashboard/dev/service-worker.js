// Owns what opens without a network: the frame of the application, never an answer of the interface. The build puts the
// version and the list of files into the two constants (dev/shell.ts); any change of a file makes another version.
const VERSION = '__VERSION__';
const FILES = ['__FILES__'];

const CACHE = `tirta-shell-${VERSION}`;
/** A network that takes longer is none: the frame says so, and goes on trying. */
const PATIENCE_MS = 4_000;

self.addEventListener('install', (event) => {
  // Past the browser's own cache: one file of an old version among new ones would break all.
  const fresh = FILES.map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith('tirta-shell-') && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

/** The person has pressed "load": this version takes over. */
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') void self.skipWaiting();
});

/** A notification was pressed: the page of its alert, in a window that is open already if there is one. */
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const path = event.notification.data?.path ?? '/';
  event.waitUntil(
    (async () => {
      const [open] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
      const shown = await open?.navigate(path).catch(() => null);
      await (shown ? shown.focus() : self.clients.openWindow(path));
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/api/') || url.pathname.startsWith('/health/')) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (url.pathname.startsWith('/assets/') || FILES.includes(url.pathname))
    event.respondWith(file(request));
});

/** The newest page, or without a network the frame that is kept. */
async function page(request) {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (cause) {
    const kept = await caches.match('/', { cacheName: CACHE });
    if (kept) return kept;
    throw cause;
  }
}

/** A file of this version never changes. Pages that were visited open again without a network. */
async function file(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && new URL(request.url).pathname.startsWith('/assets/'))
    await cache.put(request, answer.clone());
  return answer;
}
