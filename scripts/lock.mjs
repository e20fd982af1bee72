/** One build at a time in one working tree: a second one waits, and then finds the work done. */

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache } from './step.mjs';

/** Holds the lock, a file with this process's id, until the process ends. */
export async function lockBuild(file = join(cache, 'build.lock')) {
  mkdirSync(dirname(file), { recursive: true });
  for (let announced = false; !take(file); announced = true) {
    const holder = read(file);
    if (holder !== '' && !alive(Number(holder))) removeStale(file, holder);
    else if (!announced) console.log(`waiting for another build (process ${holder})`);
    await sleep(200);
  }
  process.on('exit', () => {
    if (read(file) === String(process.pid)) rmSync(file, { force: true });
  });
}

function take(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file); // in one step, so that nobody reads a lock without a holder
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own);
  }
}

/**
 * Removes the lock of the dead process `holder`. Another build may have done so meanwhile and hold
 * the lock itself: so it is put aside first, in one step, and put back if it is not the one that was read.
 */
export function removeStale(file, holder) {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    if (read(aside) !== holder) linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error; // somebody was faster
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Who holds the lock; '' if it was given back just now. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** False also for a build that was killed before it could give the lock back. */
function alive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
