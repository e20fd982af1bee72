/**
 * `npm run bench [attention] [dense] [globals] [dtypes] [tokenizer] [answers] [life]`: builds, measures these
 * or all, keeps the figures in bench/results and writes the sections of README.md and the guides and their
 * pictures anew; `npm run bench plots` only writes. Some run where they are asked for: `npm run bench model`, a
 * model beside others (`PYTHON=path/to/python` names one that has them; `npm run bench model quick`,
 * `model minilm` or `model 512 4096` is a part of it), `product`, matrix products; `profile`, what a pass spends
 * its time on; `load`, start and loading; `runtimes [node-24 ...]`; `retrieval`, which is not about speed and
 * takes long, and `large`, which takes 4 GB of memory and of disk.
 *
 * Each part is a process of its own, so that none finds memory grown or code compiled by another.
 */

import { join } from 'node:path';
import { fetchCorpus } from './corpus.mjs';
import { buildNamed } from './named.mjs';
import { installPeers } from './packages.mjs';
import { Failure, attempt, main, root } from './step.mjs';
import { fetchWeights } from './weights.mjs';

const PARTS = ['attention', 'dense', 'globals', 'dtypes', 'tokenizer', 'answers', 'life'];

/** Parts that can be told what of them to measure. */
const TAKES_WORDS = ['model', 'runtimes'];

/** What a part needs to be there. */
const NEEDS = { dense: [installPeers], model: [installPeers], product: [installPeers], profile: [buildNamed], retrieval: [installPeers, fetchWeights, fetchCorpus] };

await main(async () => {
  const known = [...PARTS, 'product', 'profile', 'load', 'model', 'runtimes', 'retrieval', 'large', 'plots'];
  const words = process.argv.slice(2);
  const wanted = words.filter((word) => known.includes(word));
  const own = words.filter((word) => !known.includes(word)); // a single part's, which knows them
  const [unknown] = wanted.length === 1 && TAKES_WORDS.includes(wanted[0]) ? [] : own;
  if (unknown) throw new Failure(`there is no bench "${unknown}"; it is one of ${known.join(', ')}`);
  if ((await attempt(process.execPath, ['scripts/build.mjs'], { show: true })).code !== 0) throw new Failure('nothing was measured: the build failed');

  const failed = [];
  for (const part of wanted.length > 0 ? known.filter((each) => each !== 'plots' && wanted.includes(each)) : PARTS) {
    try {
      for (const fetch of NEEDS[part] ?? []) await fetch();
      await measure(part, own);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.error(`\n${error.message}`);
      failed.push(part); // the others can still be measured
    }
  }
  await measure('plots');
  if (failed.length > 0) throw new Failure(`not measured: ${failed.join(', ')}`);
});

async function measure(part, words = []) {
  const args = ['--import', './scripts/ts-node.mjs', join(root, 'bench', `${part}.ts`), ...words];
  const { code } = await attempt(process.execPath, args, { show: true });
  if (code !== 0) throw new Failure(`bench/${part}.ts failed (${code})`);
}
