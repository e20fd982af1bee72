// A directory or a file that appears whole or not at all. Needs a file system: reached by `import()` only.

import { LongformerError } from '../errors.ts';
import { fs, paths } from '../platform/node.ts';
import { isDirectory, naming, pathOf } from './directory.ts';
import { safeName } from './source.ts';

/** Writes a file of that name, folders above it included, from its bytes in order. */
export type WriteFile = (name: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Makes the directory `target` of the files that `fill` writes.
 *
 * They go into a folder beside it (`<name>.partial-...`), which takes the target's name when `fill`
 * is done and is removed if it fails; a killed process leaves that folder and no target. Rejects with
 * `BAD_INPUT` before anything is written if the target exists and is not an empty directory, and
 * where the system refuses to write (no permission, a full disk).
 */
export async function writeDirectory(target: string | URL, fill: (write: WriteFile) => Promise<void>): Promise<void> {
  const path = paths.resolve(pathOf(target));
  const writing = <T>(work: () => Promise<T>): Promise<T> => naming('BAD_INPUT', path, 'written', work);
  await refuseOccupied(path);
  // Not by mkdtemp, whose folders only their owner may read: this one becomes the target.
  const work = partialName(path);
  await writing(() => fs.mkdir(work, { recursive: true }));
  try {
    await fill(async (name, chunks) => {
      const target = paths.join(work, safeName(path, name));
      const file = await writing(async () => {
        await fs.mkdir(paths.dirname(target), { recursive: true });
        return fs.open(target, 'wx');
      });
      try {
        // What `chunks` itself throws goes through as it is.
        for await (const chunk of chunks) await writing(() => file.writeFile(chunk));
      } finally {
        await writing(() => file.close());
      }
    });
    await refuseOccupied(path); // it may have been made meanwhile
    await writing(() => moveOnto(path, work));
  } catch (error) {
    await fs.rm(work, { recursive: true, force: true }).catch(() => {}); // the first error says more
    throw error;
  }
}

/**
 * Writes the file `target` of its bytes in order.
 *
 * They go into a file beside it (`<name>.partial-...`), which takes the target's name, and the place
 * of a file that has it, when all are on the disk, and is removed if that fails. Rejects with
 * `BAD_INPUT` for a directory, and where the system refuses to write.
 */
export async function replaceFile(target: string | URL, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const path = paths.resolve(pathOf(target));
  if (await isDirectory(path)) throw new LongformerError('BAD_INPUT', path, 'must be a file, is a directory');
  const writing = <T>(work: () => Promise<T>): Promise<T> => naming('BAD_INPUT', path, 'written', work);
  const work = partialName(path);
  const file = await writing(async () => {
    await fs.mkdir(paths.dirname(path), { recursive: true });
    return fs.open(work, 'wx');
  });
  try {
    try {
      for await (const chunk of chunks) await writing(() => file.writeFile(chunk));
      await writing(() => file.sync());
    } finally {
      await writing(() => file.close());
    }
    await writing(() => fs.rename(work, path));
  } catch (error) {
    await fs.rm(work, { force: true }).catch(() => {}); // the first error says more
    throw error;
  }
}

function partialName(path: string): string {
  return `${path}.partial-${Math.random().toString(36).slice(2, 10)}`;
}

/** Not every system renames onto an empty directory: there it goes first, and comes back if that did not help. */
async function moveOnto(path: string, work: string): Promise<void> {
  if (await fs.rename(work, path).then(() => true, () => false)) return;
  const removed = await fs.rmdir(path).then(() => true, () => false);
  try {
    await fs.rename(work, path);
  } catch (error) {
    if (removed) await fs.mkdir(path);
    throw error;
  }
}

async function refuseOccupied(path: string): Promise<void> {
  const refuse = (problem: string, cause?: unknown): LongformerError =>
    new LongformerError('BAD_INPUT', path, problem, { cause });
  let content: string[];
  try {
    if ((await fs.lstat(path)).isSymbolicLink()) throw refuse('must be a new or an empty directory, is a link');
    content = await fs.readdir(path);
  } catch (cause) {
    if (cause instanceof LongformerError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw refuse(`must be a new directory: ${(cause as Error).message}`, cause);
  }
  if (content.length > 0) throw refuse(`must be a new or an empty directory, holds ${content[0]}`);
}
