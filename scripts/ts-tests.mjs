/** Runs test/**\/*.test.ts, each file in a process, or a page, of its own. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './fresh.mjs';
import { Failure, attempt, root } from './step.mjs';

/** For a file whose engine deadlocks. */
const LIMIT_SECONDS = 180;

/** The Node that runs this script. */
const here = (file, seconds) =>
  attempt(process.execPath, ['--enable-source-maps', '--import', './scripts/ts-node.mjs', file], { seconds });

export async function tsTests(pattern = '') {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const file of testFiles(pattern)) add(total, await runFile(file, here));
  return total;
}

export function testFiles(pattern = '') {
  const files = filesBelow('test').filter((file) => file.endsWith('.test.ts') && file.includes(pattern));
  if (files.length === 0) throw new Failure(`no file test/**/*.test.ts has "${pattern}" in its name`);
  return files;
}

/** Adds a file's counts to those of many. */
export function add(total, result) {
  for (const what of Object.keys(total)) total[what] += result[what];
}

/** uvu runs nothing, and says nothing, where a suite's run() is forgotten; an only() leaves out the rest. */
export function whatIsLeftOut(text) {
  const count = (pattern) => text.match(pattern)?.length ?? 0;
  const [suites, runs] = [count(/\bsuite(<.*>)?\(/g), count(/\.run\(\)/g)];
  if (runs === 0 || runs < suites) return 'a suite is never run()';
  if (count(/\.only\(/g) > 0) return 'an only() leaves out the other tests';
  return undefined;
}

/** Runs a file and prints its line. `start(file, seconds)` runs it somewhere: `{ code, output, timedOut }`, as of `attempt`. */
export async function runFile(file, start) {
  const since = performance.now();
  const leftOut = whatIsLeftOut(readFileSync(join(root, file), 'utf8'));
  const result = leftOut
    ? { passed: 0, failed: 1, skipped: 0, complaint: `${file}: ${leftOut}` }
    : outcome(file, await start(file, LIMIT_SECONDS));
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  console.log(`${file.padEnd(44)} ${counts(result).padStart(20)} ${seconds.padStart(6)} s`);
  if (result.complaint) console.error(result.complaint);
  return result;
}

/** What the end of a file's process says of its tests; one that ran none must at least have skipped some. */
export function outcome(file, { code, output, timedOut }) {
  const count = (what) => [...output.matchAll(new RegExp(`^ *${what}: +(\\d+)`, 'gm'))].reduce((sum, match) => sum + Number(match[1]), 0);
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
  const failed = total - passed;
  const failure = (how) => ({ passed, failed: failed + 1, skipped, complaint: `${output}\n${file} ${how}` });
  if (timedOut) return failure(`was ended after ${LIMIT_SECONDS} s`);
  if (failed > 0) return { passed, failed, skipped, complaint: output };
  if (code !== 0) return failure(`ended with ${code}`);
  if (total + skipped === 0) return failure('ran no test');
  return { passed, failed, skipped };
}

/** `3 passed, 0 failed`, and what was skipped where something was. */
export const counts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
