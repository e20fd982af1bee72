/**
 * `npm run page`: the page of examples/web, served to this machine, with the model of the demo.
 *
 *     npm run page -- build       a folder for any static host instead, the model in it
 *     npm run page -- --port 80   another port than 8642
 *
 * Does its own set-up: builds the package, installs Vite, fetches and converts the model.
 */

import { cpSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build, DEMO_MODEL, demoModel } from './demo-model.mjs';
import { installPage } from './packages.mjs';
import { buildPage, OUT, servePage } from './page-build.mjs';
import { Failure, main, step } from './step.mjs';

await main(async () => {
  const { positionals: [command], values: { port } } = parseArgs({ allowPositionals: true, options: { port: { type: 'string', default: '8642' } } });
  if (command !== undefined && command !== 'build') throw new Failure(`npm run page knows no "${command}"; there is npm run page -- build`);
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
