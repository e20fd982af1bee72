// A local directory as a source. Needs a file system: reached by `import()` from open.ts only, so
// that a bundle for browsers can leave it out.

import type { FileHandle } from 'node:fs/promises';
import { LongformerError, type ErrorCode } from '../errors.ts';
import { builtin, fs, paths } from '../platform/node.ts';
import { safeName, type OpenFile, type Source } from './source.ts';

/** The files under `directory`, a path or a `file:` URL; rejects with `NOT_FOUND` if it is no directory. */
export async function openDirectory(directory: string | URL): Promise<Source> {
  const path = pathOf(directory);
  if (!await isDirectory(path)) throw new LongformerError('NOT_FOUND', path, 'must be a directory');
  return {
    label: path,
    open: async (name) => openFile(paths.join(path, safeName(path, name))),
  };
}

/** True if `path` names a directory, or a link to one. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false;
}

/** The path that a path or a `file:` URL names. */
export function pathOf(directory: string | URL): string {
  return typeof directory === 'string' ? directory : builtin('node:url')!.fileURLToPath(directory);
}

/** The file at `path`, or null where there is none. It may be a link that leads out of its directory: caches of checkpoints are made of such links. */
export async function openFile(path: string): Promise<OpenFile | null> {
  // Asked before opening: opening a pipe would wait for a writer.
  if (!(await statOf(path))?.isFile()) return null;
  const handle = await naming('BAD_FILE', path, 'opened', () => fs.open(path, 'r'));
  let size: number;
  try {
    ({ size } = await naming('BAD_FILE', path, 'read', () => handle.stat()));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    name: path,
    size,
    read: (start, end, room) => readRange(handle, path, start, end, room),
    close: () => handle.close(),
  };
}

async function readRange(
  handle: FileHandle, path: string, start: number, end: number, room = new Uint8Array(),
): Promise<Uint8Array<ArrayBuffer>> {
  const size = end - start;
  const bytes = size <= room.length ? room.subarray(0, size) : new Uint8Array(size);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await naming('BAD_FILE', path, 'read',
      () => handle.read(bytes, filled, bytes.length - filled, start + filled));
    if (bytesRead === 0) {
      throw new LongformerError('BAD_FILE', path, `must have ${end} bytes, ends after ${start + filled}`);
    }
    filled += bytesRead;
  }
  return bytes;
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof fs.stat>> | null> {
  return naming('BAD_FILE', path, 'read', () => fs.stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }));
}

/** What the system says against `work` becomes an error of ours, which names the path. */
export async function naming<T>(
  code: ErrorCode, path: string, what: 'opened' | 'read' | 'written', work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new LongformerError(code, path, `cannot be ${what}: ${(cause as Error).message}`, { cause });
  }
}
