/** The model of the demo and of the page: all-MiniLM-L6-v2, made a Longformer of 8192 positions, once. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cache, Failure, root, step } from './step.mjs';
import { fetchWeights } from './weights.mjs';

const MAX_POSITIONS = 8192;
const ATTENTION_WINDOW = 128; // both sides

export const DEMO_MODEL = `all-MiniLM-L6-v2-longformer-${MAX_POSITIONS}-window-${ATTENTION_WINDOW}`;

/** What the clone needs before anything of it runs, in a process of its own, which holds the lock on builds until it ends. */
export function build() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] });
    const end = () => child.kill();
    process.on('exit', end);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('exit', end);
      if (code === 0) resolve();
      else reject(new Failure(`the build failed (${code ?? signal})`));
    });
  });
}

/** Its folder: complete, or not there. After `build`. */
export async function demoModel() {
  const target = join(cache, 'models', DEMO_MODEL);
  if (existsSync(target)) return target;
  const source = await fetchWeights();
  const { convertToLongformer } = await import('../dist/index.js');
  const work = mkdtempSync(`${target}.partial-`);
  const discard = () => rmSync(work, { recursive: true, force: true, maxRetries: 3 });
  process.on('exit', discard); // Ctrl-C ends in it too
  try {
    const options = { maxPositions: MAX_POSITIONS, attentionWindow: ATTENTION_WINDOW };
    await step(`convert it to ${MAX_POSITIONS} positions`, () => convertToLongformer(source, join(work, 'model'), options));
    if (!existsSync(target)) renameSync(join(work, 'model'), target);
  } finally {
    discard();
    process.off('exit', discard);
  }
  return target;
}
