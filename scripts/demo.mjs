/**
 * `npm run demo -- [question] [files ...] [options of longformer-wasm search]`
 *
 * From a clone to an answer: builds what is not built, fetches all-MiniLM-L6-v2, makes a Longformer
 * of 8192 positions of it, once, and searches. What is said on the way goes to standard error.
 */

import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build, demoModel } from './demo-model.mjs';
import { main, root } from './step.mjs';

/** Long documents that every clone has once it is set up. The answer is in the last 30 of a readme's 674 lines. */
const QUESTION = 'How can I get the parsed command and run its handler later?';
const FILES = ['node_modules/sade/readme.md', 'LICENSE'];

console.log = console.error; // standard output is for the answer
process.chdir(process.env.INIT_CWD ?? '.'); // npm starts scripts in the root, whatever the user's directory is

await main(async () => {
  await build();
  const model = await demoModel();
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
