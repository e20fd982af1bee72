// The page without a network: its service worker, and what the browser keeps of page and models.

import { DOCUMENT_CACHE } from './kept-document';
import { MODEL_CACHE, storage } from './kept-files';
import { forgetRemembered } from './remembered';

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

/** Bytes that are kept of models, of the document with what was read of it, and of all with the page itself. */
export async function keptBytes(): Promise<{ models: number; document: number; all: number }> {
  const [models, document] = await Promise.all([bytesIn(MODEL_CACHES), bytesIn([DOCUMENT_CACHE])]);
  return { models, document, all: (await navigator.storage?.estimate())?.usage ?? models + document };
}

async function bytesIn(names: readonly string[]): Promise<number> {
  let bytes = 0;
  if (storage === null) return bytes;
  for (const name of names) {
    if (!await storage.has(name)) continue;
    for (const response of await (await storage.open(name)).matchAll()) bytes += Number(response.headers.get('content-length'));
  }
  return bytes;
}

/** Models are fetched again when they are wanted again; the document, and what models were used, is forgotten. */
export async function clearKept(): Promise<void> {
  forgetRemembered();
  for (const name of [...MODEL_CACHES, DOCUMENT_CACHE]) await storage?.delete(name);
}
