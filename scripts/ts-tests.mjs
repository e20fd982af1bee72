/** Runs test/**\/*.test.ts, each file in a process of its own. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './fresh.mjs';
import { Failure, attempt, root } from './step.mjs';

/** For a file whose engine deadlocks. */
const LIMIT_SECONDS = 180;

export async function tsTests(pattern = '') {
  const files = filesBelow('test').filter((file) => file.endsWith('.test.ts') && file.includes(pattern));
  if (files.length === 0) throw new Failure(`no file test/**/*.test.ts has "${pattern}" in its name`);
  const total = { passed: 0, failed: 0 };
  for (const file of files) {
    const start = performance.now();
    const { passed, failed, complaint } = await runFile(file);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${file.padEnd(44)} ${String(passed).padStart(3)} passed, ${failed} failed ${seconds.padStart(6)} s`);
    if (complaint) console.error(complaint);
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/** uvu runs nothing, and says nothing, where a suite's run() is forgotten; an only() leaves out the rest. */
export function whatIsLeftOut(text) {
  const count = (pattern) => text.match(pattern)?.length ?? 0;
  const [suites, runs] = [count(/\bsuite(<.*>)?\(/g), count(/\.run\(\)/g)];
  if (runs === 0 || runs < suites) return 'a suite is never run()';
  if (count(/\.only\(/g) > 0) return 'an only() leaves out the other tests';
  return undefined;
}

async function runFile(file) {
  const leftOut = whatIsLeftOut(readFileSync(join(root, file), 'utf8'));
  if (leftOut) return { passed: 0, failed: 1, complaint: `${file}: ${leftOut}` };
  const args = ['--enable-source-maps', '--import', './scripts/ts-node.mjs', file];
  const { code, output, timedOut } = await attempt(process.execPath, args, { seconds: LIMIT_SECONDS });
  const count = (what) => [...output.matchAll(new RegExp(`^ *${what}: +(\\d+)`, 'gm'))].reduce((sum, match) => sum + Number(match[1]), 0);
  const [total, passed] = [count('Total'), count('Passed')];
  const failed = total - passed;
  if (timedOut) return { passed, failed: failed + 1, complaint: `${output}\n${file} was ended after ${LIMIT_SECONDS} s` };
  if (failed > 0) return { passed, failed, complaint: output };
  if (code !== 0) return { passed, failed: 1, complaint: `${output}\n${file} ended with ${code}` };
  if (total === 0) return { passed, failed: 1, complaint: `${output}\n${file} ran no test` };
  return { passed, failed };
}
