// The files of a model from a folder of a web server, each kept in the browser's Cache API: the second
// visit asks for none of them, and needs no network. This is a `FileSource` of longformer-wasm, whose
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
      const response = await cache?.match(url) ?? await fetchInto(cache, url, name, options);
      return response.ok ? response.blob() : null;
    },
  };
}

/** Fetches a file into the cache. That a file is not there is kept too: some are only looked for. */
async function fetchInto(cache: Cache | null, url: string, name: string, { signal, onProgress }: FetchOptions): Promise<Response> {
  const reply = await fetch(url, signal ? { signal } : {});
  if (!reply.ok && reply.status !== 404) throw new Error(`${url}: the server says ${reply.status}`);
  const total = Number(reply.headers.get('content-length'));
  const counted = new Response(reply.ok ? reply.body?.pipeThrough(counting((done) => onProgress?.({ stage: 'download', name, done, total, unit: 'bytes' }))) ?? null : null,
    { status: reply.status, headers: { 'content-length': String(total) } });
  if (cache === null) return counted;
  await cache.put(url, counted); // by way of the disk: a model never lies in memory twice
  return (await cache.match(url))!;
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
