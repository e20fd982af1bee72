/**
 * `npm run bench [attention] [dense] [globals] [dtypes]`: builds, measures these or all, keeps the figures in
 * bench/results and writes README.md's section and its pictures anew; `npm run bench plots` only writes.
 *
 * Each part is a process of its own, so that none finds memory grown or code compiled by another.
 */

import { join } from 'node:path';
import { installPeers } from './packages.mjs';
import { Failure, attempt, main, root } from './step.mjs';

const PARTS = ['attention', 'dense', 'globals', 'dtypes'];

await main(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => ![...PARTS, 'plots'].includes(name));
  if (unknown) throw new Failure(`there is no bench "${unknown}"; it is one of ${PARTS.join(', ')}, plots`);
  if ((await attempt(process.execPath, ['scripts/build.mjs'], { show: true })).code !== 0) throw new Failure('nothing was measured: the build failed');

  const failed = [];
  for (const part of wanted.length > 0 ? PARTS.filter((each) => wanted.includes(each)) : PARTS) {
    try {
      if (part === 'dense') await installPeers();
      await measure(part);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.error(`\n${error.message}`);
      failed.push(part); // the others can still be measured
    }
  }
  await measure('plots');
  if (failed.length > 0) throw new Failure(`not measured: ${failed.join(', ')}`);
});

async function measure(part) {
  const args = ['--import', './scripts/ts-node.mjs', join(root, 'bench', `${part}.ts`)];
  const { code } = await attempt(process.execPath, args, { show: true });
  if (code !== 0) throw new Failure(`bench/${part}.ts failed (${code})`);
}
