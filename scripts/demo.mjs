/**
 * `npm run demo -- [question] [files ...] [options of longformer-wasm search]`
 *
 * From a clone to an answer: builds what is not built, fetches all-MiniLM-L6-v2, makes a Longformer
 * of 8192 positions of it, once, and searches. What is said on the way goes to standard error.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { cache, Failure, main, root, step } from './step.mjs';
import { fetchWeights } from './weights.mjs';

/** Long documents that every clone has once it is set up. The answer is in the last 30 of a readme's 674 lines. */
const QUESTION = 'How can I get the parsed command and run its handler later?';
const FILES = ['node_modules/sade/readme.md', 'LICENSE'];

const MAX_POSITIONS = 8192;
const ATTENTION_WINDOW = 128; // both sides

console.log = console.error; // standard output is for the answer
process.chdir(process.env.INIT_CWD ?? '.'); // npm starts scripts in the root, whatever the user's directory is

await main(async () => {
  await build();
  const model = await convertOnce(await fetchWeights());
  const { search } = await import('../dist/cli/search.js');
  const { optionsOf, toParse } = await import('../dist/cli/command.js');
  const { runCommand } = await import('../dist/cli/run.js');
  const args = process.argv.slice(2);
  const { positionals } = parseArgs({ args, options: toParse(optionsOf(search)), allowPositionals: true, strict: false });
  if (positionals.length === 0) {
    console.log(`\n${QUESTION}\n(npm run demo -- "another question" file ...)`);
    args.push(QUESTION);
  }
  console.log();
  if (positionals.length < 2) args.push(...FILES.map((file) => relative('', join(root, file))));
  process.exitCode = await runCommand(['search', '--model', model, ...args]);
});

/** In a process of its own, which holds the lock on builds until it ends. */
function build() {
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

/** The folder of the Longformer: complete, or not there. */
async function convertOnce(source) {
  const target = join(cache, 'models', `all-MiniLM-L6-v2-longformer-${MAX_POSITIONS}-window-${ATTENTION_WINDOW}`);
  if (existsSync(target)) return target;
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
