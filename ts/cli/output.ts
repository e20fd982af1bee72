// Where a command's picture goes.

import { writeFile } from 'node:fs/promises';
import { LongformerError } from '../errors.ts';

/** To the file, or to standard output where there is none. */
export async function writeOutput(path: string | undefined, content: string | Uint8Array): Promise<void> {
  if (path === undefined) {
    process.stdout.write(content);
    return;
  }
  try {
    await writeFile(path, content);
  } catch (cause) {
    throw new LongformerError('BAD_INPUT', path, `cannot be written: ${(cause as Error).message}`, { cause });
  }
}
