// A repository of the Hugging Face Hub where there is no file system: files come into the browser's
// Cache API, and are read from there. Without one (pages that are not served securely) they are
// fetched into memory. No token is sent: a page has no place to keep one.

import { openBlob } from '../blobs.ts';
import { safeName, type Source } from '../source.ts';
import type { SourceOptions } from '../source-options.ts';
import { LongformerError } from '../../errors.ts';
import { onlyForward } from '../../progress.ts';
import { fileUrl, HUB, isCommit, type Hub } from './hub.ts';
import { contentLength, retrying, send, statusError, type Reply } from './http.ts';
import { counted, refuseLong, wholeFile, type FetchOptions } from './whole-file.ts';

const CACHE = 'longformer-wasm';

const HUB_IN_BROWSER: Hub = { endpoint: HUB, token: null };

/** Asks for a file, of the commit that the first answer named. */
type Ask = (name: string, method: 'GET' | 'HEAD') => Promise<Reply>;

/** The files of `id` at a revision. With `localFilesOnly` those in the cache. */
export async function openHubInBrowser(id: string, options: SourceOptions): Promise<Source> {
  const { revision = 'main', localFilesOnly = false, signal } = options;
  const cache = await openCache();
  let commit: string | null = null; // of the first answer that shows it: all later ones are of the same
  const ask: Ask = async (name, method) => {
    const reply = await send(fileUrl(HUB_IN_BROWSER, { id, revision: commit ?? revision }, name), { method }, signal);
    const found = reply.headers.get('x-repo-commit');
    if (found !== null && isCommit(found)) commit ??= found;
    return reply;
  };
  return {
    label: localFilesOnly ? `${id} (localFilesOnly)` : id,
    async open(given, { maxBytes } = {}) {
      const name = safeName(id, given);
      if (name === '') return null;
      const url = fileUrl(HUB_IN_BROWSER, { id, revision }, name); // its name in the cache
      const cached = await cache?.match(url);
      if (cached !== undefined && (localFilesOnly || isCommit(revision) || await isCurrent(name, cached, ask))) return openBlob(url, await cached.blob());
      if (localFilesOnly) return null;
      const file = { id, name, url };
      const blob = await retrying(signal, () => fetchInto(cache, file, ask, { signal, maxBytes, onProgress: onlyForward(options.onProgress) }));
      return blob === null ? null : openBlob(url, blob);
    },
  };
}

/** Null where there is none, or the page may not use it. */
async function openCache(): Promise<Cache | null> {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/** Whether the Hub still has the same file. A Hub that cannot be reached is taken to have it. */
async function isCurrent(name: string, cached: Response, ask: Ask): Promise<boolean> {
  try {
    const reply = await ask(name, 'HEAD');
    reply.drop();
    return reply.status >= 500 || (reply.status < 400 && versionOf(reply.headers) === versionOf(cached.headers));
  } catch (error) {
    if (error instanceof LongformerError) return true;
    throw error;
  }
}

/** A host that lets a page see no tag at least lets it see a length. */
function versionOf(headers: Headers): string | null {
  return headers.get('etag') ?? headers.get('content-length');
}

async function fetchInto(
  cache: Cache | null, { id, name, url }: { id: string; name: string; url: string }, ask: Ask, options: FetchOptions,
): Promise<Blob | null> {
  const reply = await ask(name, 'GET');
  const { status, headers } = reply;
  if (status !== 200) {
    reply.drop();
    const code = headers.get('x-error-code');
    if (code === 'RepoNotFound' || code === 'RevisionNotFound' || status === 401) {
      throw new LongformerError('NOT_FOUND', `${id} at ${HUB}`, 'must be a public repository with that revision, is none');
    }
    if (status === 404) return null;
    throw statusError(reply, status === 403 ? ': a browser can only fetch what is public' : '');
  }
  if (cache === null) return wholeFile(reply, name, options);
  refuseLong(reply, options.maxBytes);

  const chunks = counted(reply, name, options);
  let failure: unknown;
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
    cancel: async () => void await chunks.return(undefined),
  });
  const kept = ['etag', 'content-type'].flatMap((header) => headers.has(header) ? [[header, headers.get(header)!]] : []) as [string, string][];
  const size = contentLength(headers);
  try {
    await cache.put(url, new Response(body, { headers: [...kept, ...(size === null ? [] : [['content-length', String(size)] as [string, string]])] }));
  } catch {
    if (failure !== undefined) throw failure; // of the network, or an abort
    return wholeFile(await ask(name, 'GET'), name, options); // no room in the cache
  }
  return (await cache.match(url))!.blob();
}
