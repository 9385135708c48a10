// Keeps the page's files, so that it works offline: the page itself at once, other interpreters
// when they are first used. A new build has another name, and the old files go.
const files = async () => (await fetch('build.json', { cache: 'no-cache' })).json();
const KEEP = 'coscope-';

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const built = await files();
    const cache = await caches.open(KEEP + built.build);
    const first = built.files.filter((file) => !file.startsWith('pyodide/') || file.startsWith(`pyodide/${built.analyst}/`));
    await cache.addAll(['./', 'build.json', ...first.filter((file) => file !== 'sw.js')]);
    for (const name of await caches.keys())
      if (name.startsWith(KEEP) && name !== KEEP + built.build) await caches.delete(name);
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  event.respondWith((async () => {
    const found = await caches.match(event.request, { ignoreSearch: true });
    // What names the build is asked of the host first: so a new page is noticed.
    if (found && !url.pathname.endsWith('/build.json')) return found;
    try {
      const response = await fetch(event.request);
      if (response.ok && response.type === 'basic') {
        const [name] = (await caches.keys()).filter((each) => each.startsWith(KEEP));
        if (name) await (await caches.open(name)).put(event.request, response.clone());
      }
      return response;
    } catch (error) {
      if (found) return found;
      throw error;
    }
  })());
});
