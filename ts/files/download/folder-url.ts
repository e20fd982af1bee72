// A folder on a web server as a source. Files are read in blocks where the server gives parts of a
// file, else fetched whole into memory. Nothing is kept on disk. Runs wherever there is `fetch`.

import { LongformerError } from '../../errors.ts';
import { openBlob } from '../blobs.ts';
import { encodedName, safeName, type OpenFile, type Source } from '../source.ts';
import type { SourceOptions } from '../source-options.ts';
import { onlyForward } from '../../progress.ts';
import { contentRange, PassingError, retrying, send, statusError, withoutQuery, type Reply } from './http.ts';
import { counted, refuseLong, wholeFile, type FetchOptions } from './whole-file.ts';

/** Asked for at a time: worth a request, few next to any checkpoint. */
const BLOCK_BYTES = 4 * 2 ** 20;

/** Blocks kept of all files, those last used: the tensors of a layer are read in another order than they lie in the file. */
const MOST_BLOCKS = 8;

type Bytes = Uint8Array<ArrayBuffer>;

/** The blocks last used, by address, version and place. */
class Blocks {
  readonly #blocks = new Map<string, Bytes>();

  get(key: string): Bytes | undefined {
    return this.#blocks.get(key);
  }

  /** The last used comes last. */
  use(key: string, block: Bytes): void {
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    if (this.#blocks.size > MOST_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value!);
  }
}

/** The files under `folder`; a query that it has goes to each of them. */
export function openFolderUrl(folder: URL, options: SourceOptions): Source {
  if (folder.username !== '' || folder.password !== '') {
    throw new LongformerError('BAD_INPUT', withoutQuery(folder.href).replace(/\/\/.*@/, '//'), 'must have no name and password in the address');
  }
  if (options.localFilesOnly) throw new LongformerError('NOT_FOUND', withoutQuery(folder.href), 'cannot be read, localFilesOnly forbids to fetch it');
  const label = withoutQuery(folder.href).replace(/\/+$/, '');
  const blocks = new Blocks();
  return {
    label,
    async open(given, { maxBytes } = {}) {
      const name = safeName(label, given);
      if (name === '') return null;
      const url = `${label}/${encodedName(name)}`;
      return openAt({ url: url + folder.search, label: url, name, blocks }, { ...options, maxBytes });
    },
  };
}

interface WebFile {
  readonly url: string;
  /** For messages. */
  readonly label: string;
  readonly name: string;
  readonly blocks: Blocks;
}

async function openAt(file: WebFile, options: SourceOptions & FetchOptions): Promise<OpenFile | null> {
  const { url, label, name } = file;
  const { signal, maxBytes } = options;
  const onProgress = onlyForward(options.onProgress);
  return retrying(signal, async () => {
    // A small file is there with the first block.
    const reply = await send(url, { headers: rangeOf(0, BLOCK_BYTES) }, signal);
    const { status, headers } = reply;
    if (status === 200) return openBlob(label, await wholeFile(reply, name, { onProgress, maxBytes }));
    const range = status === 206 ? contentRange(headers) : null;
    if (range !== null && range.start === 0 && range.total !== null && range.end === Math.min(BLOCK_BYTES, range.total)) {
      refuseLong(reply, maxBytes, range.total);
      return openBlocks(file, { first: await block(reply, range.end), size: range.total, etag: headers.get('etag') }, signal);
    }
    reply.drop();
    if (status === 404 || status === 410) return null;
    if (status === 416) return openBlob(label, new Blob([])); // an empty file has no first byte
    if (status >= 300) throw statusError(reply);
    // A part, but of what, a page may not be allowed to see.
    const all = await send(url, {}, signal);
    if (all.status === 200) return openBlob(label, await wholeFile(all, name, { onProgress, maxBytes }));
    all.drop();
    throw statusError(all);
  });
}

function openBlocks(
  { url, label, blocks }: WebFile, { first, size, etag }: { first: Bytes; size: number; etag: string | null }, signal: AbortSignal | undefined,
): OpenFile {
  const keyOf = (start: number): string => JSON.stringify([url, etag, size, start]);
  blocks.use(keyOf(0), first);
  const blockAt = async (start: number): Promise<Bytes> => {
    const key = keyOf(start);
    const found = blocks.get(key) ?? await fetchBlock(start);
    blocks.use(key, found);
    return found;
  };
  const fetchBlock = (start: number): Promise<Bytes> => retrying(signal, async () => {
    const end = Math.min(start + BLOCK_BYTES, size);
    const reply = await send(url, { headers: rangeOf(start, end) }, signal);
    const range = reply.status === 206 ? contentRange(reply.headers) : null;
    if (range?.start === start && range.end === end && range.total === size && reply.headers.get('etag') === etag) return block(reply, end - start);
    reply.drop();
    if (reply.status >= 400 && reply.status !== 416) throw statusError(reply);
    throw new LongformerError('DOWNLOAD', label, 'must stay the same while it is read, has changed');
  });
  return {
    name: label,
    size,
    async read(start, end) {
      if (end > size) throw new LongformerError('BAD_FILE', label, `must have ${end} bytes, ends after ${size}`);
      const bytes = new Uint8Array(end - start);
      for (let at = start; at < end;) {
        const begin = at - at % BLOCK_BYTES;
        const part = (await blockAt(begin)).subarray(at - begin, end - begin);
        bytes.set(part, at - start);
        at += part.length;
      }
      return bytes;
    },
    async close() {}, // its blocks go when others come, or with the source
  };
}

async function block(reply: Reply, size: number): Promise<Bytes> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of counted(reply, '', {}, size)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at !== size) throw new PassingError(reply.name, `must have ${size} bytes, ended after ${at}`);
  return bytes;
}

function rangeOf(start: number, end: number): Record<string, string> {
  return { range: `bytes=${start}-${end - 1}`, 'accept-encoding': 'identity' };
}
