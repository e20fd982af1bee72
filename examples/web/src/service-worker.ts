// Two services for the page. It keeps the page's files, so that the page opens without a network. And it
// adds the headers that give pages shared memory, so that there are threads on hosts that cannot send
// them (GitHub Pages, for one), with the policy of the page, for its workers. Models are kept by the page
// itself (kept-files.ts) or the library.

interface ExtendableEvent extends Event { waitUntil(work: Promise<unknown>): void }
interface FetchEvent extends ExtendableEvent { request: Request; respondWith(response: Promise<Response>): void }
/** What a service worker has that a page has not: TypeScript knows one of the two at a time. */
declare const self: {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
};

/** All files of the page, filled in by the build: a new build is a new worker. */
const FILES = __FILES__ as unknown as string[];
declare const __FILES__: string;
declare const __POLICY__: string;

const CACHE = 'page';

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    await (await caches.open(CACHE)).addAll(FILES.map((file) => new Request(file, { cache: 'reload' })));
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    const current = new Set(FILES.map((file) => new URL(file, self.registration.scope).href));
    for (const { url } of await cache.keys()) if (!current.has(url)) await cache.delete(url);
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, href } = new URL(request.url);
  const { scope } = self.registration; // may have a folder of that name above it
  const isOfModels = href.startsWith(new URL('models/', scope).href) || href === new URL('models.json', scope).href;
  if (request.method === 'GET' && origin === location.origin && !isOfModels) event.respondWith(answer(request));
});

/** Names of files change with their content; the page itself is asked for first, as it names them. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = (url: string): Promise<Response | undefined> => cache.match(url, { ignoreSearch: true, ignoreVary: true });
  if (request.mode !== 'navigate') return isolated(await kept(request.url) ?? await fetch(request));
  return isolated(await fetch(request).catch(async () => await kept(self.registration.scope) ?? Response.error()));
}

function isolated(response: Response): Response {
  if (response.type === 'error' || response.type === 'opaque' || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('content-security-policy', __POLICY__);
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-embedder-policy', 'require-corp');
  headers.set('cross-origin-resource-policy', 'same-origin');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

export {}; // a module to TypeScript alone: names of its own
