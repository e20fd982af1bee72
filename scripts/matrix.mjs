/** Test files on many runtimes and browsers, and the tables of what became of them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { markdown } from './markdown.mjs';
import { Failure, cache } from './step.mjs';
import { add, runFile } from './ts-tests.mjs';

const SECONDS_FOR_INFO = 60;

/**
 * Runs `files` in each of `places`; a place that can't be had counts each file as skipped.
 *
 * @returns a row for each place: `{ name, version, info, total, results }`, `results` by file; those kept out have none
 */
export async function runMatrix(places, files) {
  const rows = [];
  for (const { name, keptOut, open } of places) {
    const wanted = files.filter((file) => !keptOut(file));
    const row = { name, total: { passed: 0, failed: 0, skipped: 0 }, results: {} };
    rows.push(row);
    let place;
    try {
      place = await open();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.log(`${name} is not here, its tests are skipped: ${error.message.trimEnd().split('\n').at(-1)}`);
      row.total.skipped = wanted.length;
      continue;
    }
    try {
      row.version = place.version;
      row.info = infoIn((await place.start('scripts/engine-info.mjs', SECONDS_FOR_INFO)).output);
      console.log(`\n${name} ${place.version}${row.info ? `: ${row.info.build}, ${row.info.reason}` : ': no engine'}`);
      for (const file of wanted) {
        const result = await runFile(file, async (...args) => logged(name, file, await place.start(...args)));
        row.results[file] = result;
        add(row.total, result);
      }
    } finally {
      await place.close();
    }
  }
  return rows;
}

const infoIn = (output) => {
  const line = /^\{.*\}$/m.exec(output)?.[0];
  return line && JSON.parse(line);
};

function logged(name, file, outcome) {
  const folder = join(cache, 'logs', 'runtimes', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${basename(file, '.test.ts')}.log`), outcome.output);
  return outcome;
}

/** What ran where, as Markdown: a line for each place. */
export function summary(rows) {
  const lines = rows.map(({ name, version, info, total, results }) => [
    name.split('-')[0], version ?? 'not here', info?.build ?? '', info ? String(info.threads) : '',
    String(Object.keys(results).length), ...['passed', 'failed', 'skipped'].map((what) => String(total[what])),
  ]);
  return markdown([['runtime', 'version', 'build', 'threads', 'files', 'passed', 'failed', 'skipped'], ...lines]);
}

/** Each file in each place: tests passed; `2!` of them failed, `2?` of them skipped; a dash where it does not run. */
export function details(rows, files) {
  const cell = (result) => (result
    ? `${result.passed}${result.failed > 0 ? ` ${result.failed}!` : ''}${result.skipped > 0 ? ` ${result.skipped}?` : ''}` : '-');
  const lines = files.map((file) => [basename(file, '.test.ts'), ...rows.map(({ results }) => cell(results[file]))]);
  return markdown([['', ...rows.map(({ name }) => name)], ...lines]);
}

/** All rows together. */
export function totalOf(rows) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const row of rows) add(total, row.total);
  return total;
}
