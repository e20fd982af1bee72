/**
 * `npm run test:page`: the page of examples/web from end to end, in real browsers, on a host that sends
 * the headers for threads and on one that does not. The last line is that of `npm test`.
 *
 *     npm run test:page -- chromium        this browser alone
 *
 * Pictures of each state lie in .cache/page/BROWSER afterwards.
 */

import { join } from 'node:path';
import { makeModels } from '../examples/web/test/models.js';
import { build, DEMO_MODEL, demoModel } from './demo-model.mjs';
import { installPage } from './packages.mjs';
import { buildPage } from './page-build.mjs';
import { attempt, cache, main, root, step } from './step.mjs';
import { counts, outcome } from './ts-tests.mjs';

const FILE = 'examples/web/test/page.test.js';
const SECONDS = 900;

await main(async () => {
  const wanted = process.argv.slice(2);
  await build();
  await installPage();
  const models = join(cache, 'page', 'models');
  makeModels(root, models, await demoModel(), DEMO_MODEL);
  await step('vite build', buildPage);

  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const browser of ['chromium', 'firefox'].filter((name) => wanted.length === 0 || wanted.includes(name))) {
    for (const isolated of [true, false]) {
      const place = isolated ? browser : `${browser}-no-headers`;
      const env = { BROWSER: browser, ISOLATED: isolated ? 'yes' : 'no', PAGE_MODELS: models, SHOTS: join(cache, 'page', place) };
      const result = outcome(FILE, await step(place, () => attempt(process.execPath, [FILE], { env, seconds: SECONDS })));
      if (result.complaint) console.error(result.complaint);
      console.log(`${place}: ${counts(result)}`);
      for (const what of Object.keys(total)) total[what] += result[what];
    }
  }
  if (total.failed > 0) process.exitCode = 1;
  console.log(`\n${counts(total)}`);
});
