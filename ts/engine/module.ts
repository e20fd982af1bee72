// The module of a build, from a disk or a server.

import { LongformerError } from '../errors.ts';
import { builtin } from '../platform/node.ts';

/** Rejects with `NOT_FOUND` where there is none, `DOWNLOAD` where it cannot be fetched, `BAD_FILE` for something else. */
export async function compileModule(url: URL, signal: AbortSignal | undefined): Promise<WebAssembly.Module> {
  const fs = url.protocol === 'file:' ? builtin('node:fs/promises') : undefined; // Node's fetch knows no file: URLs
  if (fs === undefined) return fetchModule(url, signal);
  const bytes = await fs.readFile(url).catch((cause: unknown) => { throw notFound(url, 'npm run build makes it', cause); });
  return WebAssembly.compile(new Uint8Array(bytes)).catch((cause: Error) => { throw notModule(url, cause); });
}

async function fetchModule(url: URL, signal: AbortSignal | undefined): Promise<WebAssembly.Module> {
  const response = await fetch(url, { signal: signal ?? null, credentials: 'same-origin' }).catch((cause: Error) => {
    signal?.throwIfAborted();
    throw new LongformerError('DOWNLOAD', url.href, `cannot be reached: ${cause.message}`, { cause });
  });
  if (!response.ok) throw notFound(url, `the server answers with status ${response.status}; the option \`wasm\` says where the builds are`);
  try {
    // Only while it comes, and only from a server that knows what it sends.
    if (response.headers.get('content-type') === 'application/wasm') return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw notModule(url, cause as Error);
  }
}

function notFound(url: URL, why: string, cause?: unknown): LongformerError {
  return new LongformerError('NOT_FOUND', url.href, `must be a build of the crate (${why})`, { cause });
}

function notModule(url: URL, cause: Error): LongformerError {
  return new LongformerError('BAD_FILE', url.href, `must be a WebAssembly module: ${cause.message}`, { cause });
}
