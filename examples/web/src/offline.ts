// The page without a network: its service worker, and what the browser keeps of page and models.

import { MODEL_CACHE } from './kept-files';

/** Threads that will be there after the page is loaded again, thanks to the service worker. */
export let threadsAfterReload = false;

/** Rejects nothing: without a service worker the page works, with a network and perhaps one thread. */
export async function startOffline(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  try {
    await navigator.serviceWorker.register('service-worker.js');
    await navigator.serviceWorker.ready;
    threadsAfterReload = !crossOriginIsolated;
    dispatchEvent(new CustomEvent('offline-ready'));
  } catch {
    // a private window, for one
  }
}

/** The library's own cache has what it fetched from the Hub. */
const MODEL_CACHES = [MODEL_CACHE, 'longformer-wasm'];

/** Bytes that are kept of models, and of all. */
export async function keptBytes(): Promise<{ models: number; all: number }> {
  let models = 0;
  for (const name of MODEL_CACHES) {
    if (!await caches.has(name)) continue;
    const cache = await caches.open(name);
    for (const response of await cache.matchAll()) models += Number(response.headers.get('content-length'));
  }
  return { models, all: (await navigator.storage.estimate()).usage ?? models };
}

/** Models are fetched again when they are wanted again. */
export async function clearModels(): Promise<void> {
  for (const name of MODEL_CACHES) await caches.delete(name);
}
