// The models that are timed, as files: random weights, kept in .cache/bench.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeRandom } from '../test/random-checkpoint.ts';
import { SHAPES, type ShapeName } from './shapes.ts';

export const peersFile = fileURLToPath(new URL('peers.py', import.meta.url));

/** Ours, and those of the peers where there is a Python. Made once for the same sizes, as it takes a minute. */
export async function modelsOf(shape: ShapeName, python: string | undefined): Promise<string> {
  const sizes = JSON.stringify(SHAPES[shape]);
  const made = createHash('sha256').update(sizes).update(await readFile(peersFile, 'utf8')).digest('hex').slice(0, 12);
  const folder = fileURLToPath(new URL(`../.cache/bench/${shape}-${made}-${python === undefined ? 'ours' : 'all'}`, import.meta.url));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(partial, 'roberta'), { recursive: true });
  await writeRandom(partial, SHAPES[shape]);
  if (python !== undefined) {
    await writeFile(join(partial, 'sizes.json'), sizes);
    const { stdout } = await promisify(execFile)(python, [peersFile, 'export', join(partial, 'sizes.json'), join(partial, 'roberta')], { maxBuffer: 2 ** 24 });
    console.log(`  exported: ${stdout.trim().split('\n').at(-1)}`);
  }
  await rename(partial, folder);
  return folder;
}
