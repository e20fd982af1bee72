/**
 * `npm run test:runtimes`: builds, then runs the test files on every runtime and in every browser, and
 * prints what ran where. The last line is that of `npm test`.
 *
 *     npm run test:runtimes                             all files everywhere, some half an hour on two cores
 *     npm run test:runtimes -- deno engine              on Deno, the files with "engine" in their name
 *     npm run test:runtimes -- node chromium model      on each Node and in Chromium
 */

import { details, runMatrix, summary, totalOf } from './matrix.mjs';
import { places } from './places.mjs';
import { Failure, attempt, main } from './step.mjs';
import { counts, testFiles } from './ts-tests.mjs';
import { tryToFetchWeights } from './weights.mjs';

const isIn = ({ name }, word) => name === word || name.startsWith(`${word}-`);

await main(async () => {
  const words = process.argv.slice(2);
  const named = words.filter((word) => places.some((place) => isIn(place, word)));
  const patterns = words.filter((word) => !named.includes(word));
  const files = patterns.length === 0 ? testFiles() : [...new Set(patterns.flatMap((pattern) => testFiles(pattern)))];
  if ((await attempt(process.execPath, ['scripts/build.mjs'], { show: true })).code !== 0) throw new Failure('nothing was tested: the build failed');
  await tryToFetchWeights();

  const rows = await runMatrix(named.length === 0 ? places : places.filter((place) => named.some((word) => isIn(place, word))), files);
  const total = totalOf(rows);
  if (total.failed > 0) process.exitCode = 1;
  console.log(`\n${details(rows, files)}\n\n${summary(rows)}\n\n${counts(total)}`);
});
