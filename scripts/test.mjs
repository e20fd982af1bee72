/**
 * `npm test`: builds, then lints and runs every test; the last line is `N passed, N failed`, and
 * `, N skipped` after it where tests were.
 *
 *     node scripts/test.mjs [lint|rust|wasm|sizes|ts|runtimes] [pattern]
 *
 * runs one part: the lints, the crate's tests as native code, the same inside WebAssembly, what users
 * download against its budget, the TypeScript tests, or those of them that run an engine on newest Node,
 * Deno, Bun and Chromium too; the pattern picks tests of the crate by name, TypeScript tests by file.
 * `npm run test:runtimes` runs all everywhere.
 */

import { basename } from 'node:path';
import { lint } from './lint.mjs';
import { runMatrix, summary, totalOf } from './matrix.mjs';
import { installPackages } from './packages.mjs';
import { places } from './places.mjs';
import { nativeTests, wasmTests } from './rust-tests.mjs';
import { sizes } from './sizes.mjs';
import { Failure, attempt, main } from './step.mjs';
import { counts, testFiles, tsTests } from './ts-tests.mjs';
import { tryToFetchWeights } from './weights.mjs';

const parts = {
  lint: () => lint(),
  rust: (pattern) => nativeTests(pattern),
  wasm: (pattern) => wasmTests(pattern),
  sizes: () => sizes(),
  ts: async (pattern) => {
    await tryToFetchWeights();
    return tsTests(pattern);
  },
  runtimes: async (pattern = '') => {
    const files = testFiles(pattern).filter((file) => pattern !== '' || ENGINE_TESTS.includes(basename(file, '.test.ts')));
    const rows = await runMatrix(places.filter(({ name }) => OTHER_PLACES.includes(name)), files);
    console.log(`\n${summary(rows)}`);
    return totalOf(rows);
  },
};

/** What differs most from the Node at hand, and what depends most on it: a few minutes. */
const OTHER_PLACES = ['node-26', 'deno', 'bun', 'chromium'];
const ENGINE_TESTS = ['attention', 'engine', 'heads.parity', 'model', 'parity', 'pipelines.parity', 'tokenizer.parity', 'wide', 'wide-process'];

await main(async () => {
  const [part, pattern] = process.argv.slice(2);
  if (part && !(part in parts)) throw new Failure(`there is no "${part}" to test; it is one of ${Object.keys(parts).join(', ')}`);

  const total = { passed: 0, failed: 0, skipped: 0 };
  if (part === 'rust' || part === 'wasm') await installPackages(); // these look at the sources, not at what is built
  else if ((await attempt(process.execPath, ['scripts/build.mjs'], { show: true })).code !== 0) total.failed = 1;

  if (total.failed > 0) console.error('nothing was tested: the build failed');
  else {
    for (const name of part ? [part] : Object.keys(parts)) {
      const { passed, failed, skipped = 0 } = await parts[name](pattern);
      total.passed += passed;
      total.failed += failed;
      total.skipped += skipped;
    }
  }
  if (total.failed > 0) process.exitCode = 1;
  console.log(`\n${counts(total)}`);
});
