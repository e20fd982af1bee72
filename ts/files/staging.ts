// A directory that appears whole or not at all. Needs a file system: reached by `import()` only.

import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LongformerError } from '../errors.ts';
import { pathOf } from './directory.ts';
import { refuseEscape } from './source.ts';

/** Writes a file of that name, folders above it included, from its bytes in order. */
export type WriteFile = (name: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Makes the directory `target` of the files that `fill` writes.
 *
 * They go into a folder beside it (`<name>.partial-...`), which takes the target's name when `fill`
 * is done and is removed if it fails; a killed process leaves that folder and no target. Rejects with
 * `BAD_INPUT` before anything is written if the target exists and is not an empty directory.
 */
export async function writeDirectory(target: string | URL, fill: (write: WriteFile) => Promise<void>): Promise<void> {
  const path = resolve(pathOf(target));
  await refuseOccupied(path);
  await mkdir(dirname(path), { recursive: true });
  // Not by mkdtemp, whose folders only their owner may read: this one becomes the target.
  const work = `${path}.partial-${Math.random().toString(36).slice(2, 10)}`;
  await mkdir(work);
  try {
    await fill(async (name, chunks) => {
      refuseEscape(path, name);
      await mkdir(dirname(join(work, name)), { recursive: true });
      await writeFile(join(work, name), chunks, { flag: 'wx' });
    });
    await refuseOccupied(path); // it may have been made meanwhile
    await rmdir(path).catch(() => {}); // not every system renames onto an empty directory
    await rename(work, path);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}

async function refuseOccupied(path: string): Promise<void> {
  let content: string[];
  try {
    content = await readdir(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return;
    throw new LongformerError('BAD_INPUT', path, `must be a new directory: ${(cause as Error).message}`, { cause });
  }
  if (content.length > 0) {
    throw new LongformerError('BAD_INPUT', path, `must be a new or an empty directory, holds ${content[0]}`);
  }
}
