// The files of a model from a folder of a web server, each kept in the browser's Cache API: the second
// visit fetches none of them, and needs no network. This is a `FileSource` of longformer-wasm, whose
// whole contract is: a name in, a Blob or null out.

import type { FileSource, Progress } from 'longformer-wasm';

export const MODEL_CACHE = 'models';

/** Null on a page that is not served securely: it works, and keeps nothing. */
export const storage: CacheStorage | null = globalThis.caches ?? null;

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export function keptFolder(folder: URL, options: FetchOptions): FileSource {
  return {
    async open(name) {
      const url = new URL(name, folder).href;
      const cache = await storage?.open(MODEL_CACHE).catch(() => null) ?? null;
      const kept = await cache?.match(url);
      if (kept?.ok) return kept.blob();
      try {
        return await fetchInto(cache, url, name, options);
      } catch (error) {
        if (kept === undefined || options.signal?.aborted) throw error;
        return null; // without a network it is not there, as it was not with one
      }
    },
  };
}

/** What is kept of a folder is fetched anew when it is wanted again. */
export async function forgetFolder(folder: URL): Promise<void> {
  const cache = await storage?.open(MODEL_CACHE).catch(() => null);
  for (const { url } of await cache?.keys() ?? []) if (url.startsWith(folder.href)) await cache!.delete(url);
}

/** Fetches a file into the cache. That a file is not there is kept too, for visits without a network: some are only looked for. */
async function fetchInto(cache: Cache | null, url: string, name: string, options: FetchOptions): Promise<Blob | null> {
  const { signal, onProgress } = options;
  const reply = await fetch(url, signal ? { signal } : {}).catch(() => null);
  signal?.throwIfAborted();
  if (reply === null) throw new Error(`${name} of the model cannot be fetched: its server does not answer.`);
  if (!reply.ok && reply.status !== 404) throw new Error(`${name} of the model cannot be fetched: its server says ${reply.status}.`);
  const total = Number(reply.headers.get('content-length'));
  const counted = new Response(reply.ok ? reply.body?.pipeThrough(counting((done) => onProgress?.({ stage: 'download', name, done, total, unit: 'bytes' }))) ?? null : null,
    { status: reply.status, headers: { 'content-length': String(total) } });
  try {
    if (cache === null) return counted.ok ? await counted.blob() : null;
    await cache.put(url, counted); // by way of the disk: a model never lies in memory twice
  } catch (error) {
    signal?.throwIfAborted();
    if (cache !== null && (error as Error).name === 'QuotaExceededError') return fetchInto(null, url, name, options);
    throw new Error(`The connection broke while ${name} of the model was fetched.`);
  }
  return reply.ok ? (await cache.match(url))!.blob() : null;
}

function counting(onBytes: (done: number) => void): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let done = 0;
  return new TransformStream({
    transform(chunk, controller) {
      onBytes(done += chunk.length);
      controller.enqueue(chunk);
    },
  });
}
