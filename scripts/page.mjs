/**
 * `npm run page`: the page of examples/web, served to this machine, with the model of the demo.
 *
 *     npm run page -- build       a folder for any static host instead, the model in it
 *     npm run page -- --port 80   another port than 8642
 *     npm run page -- --help      says so
 *
 * Does its own set-up: builds the package, installs Vite, fetches and converts the model.
 */

import { cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build, DEMO_MODEL, demoModel } from './demo-model.mjs';
import { installPage } from './packages.mjs';
import { buildPage, OUT, servePage } from './page-build.mjs';
import { Failure, main, step } from './step.mjs';

const USAGE = 'npm run page serves the page of examples/web, npm run page -- --port 80 on another port than 8642; npm run page -- build makes a folder for any static host.';

/** What was asked for: a word that is not known is answered by a sentence. */
function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { port: { type: 'string', default: '8642' }, help: { type: 'boolean', short: 'h' } } });
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    throw new Failure(`${error.message.replace(/\..*/s, '.')}\n${USAGE}`);
  }
}

/** Tried before anything is built, which takes minutes. */
async function refuseTaken(port) {
  const server = createServer();
  const error = await new Promise((resolve) => server.on('error', resolve).listen(port, '127.0.0.1', resolve));
  if (error === undefined) return void await new Promise((resolve) => server.close(resolve));
  const why = { EADDRINUSE: 'is in use', EACCES: 'is not for everybody' }[error.code] ?? `cannot be had (${error.message})`;
  throw new Failure(`port ${port} ${why}; --port, with another number, takes another one`);
}

await main(async () => {
  const { positionals: [command, ...more], values: { port, help } } = readArguments();
  if (help) return void console.log(USAGE);
  if (command !== undefined && command !== 'build' || more.length > 0) throw new Failure(`npm run page knows no "${[command, ...more].join(' ')}"; there is npm run page -- build`);
  if (!/^\d{1,5}$/.test(port) || port < 1 || port > 65535) throw new Failure(`--port must be a whole number from 1 to 65535, got "${port}"`);
  if (command === undefined) await refuseTaken(Number(port));
  await build();
  await installPage();
  const model = await demoModel();
  await step('vite build', buildPage);
  if (command === 'build') {
    await step('copy the model', () => cpSync(model, join(OUT, 'models', DEMO_MODEL), { recursive: true }));
    writeFileSync(join(OUT, 'models.json'), JSON.stringify([DEMO_MODEL]));
    console.log(`\n${relative(process.cwd(), OUT)} can be served by any static host, over https.`);
    return;
  }
  const { address } = await servePage({ port: Number(port) });
  console.log(`\n${address}\nCtrl-C ends it.`);
});
