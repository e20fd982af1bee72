/** One build at a time in one working tree: a second one waits, and then finds the work done. */

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache } from './step.mjs';

const file = join(cache, 'build.lock');

/** Holds the lock, a file with this process's id, until the process ends. */
export async function lockBuild() {
  mkdirSync(cache, { recursive: true });
  for (let announced = false; !take(); announced = true) {
    const holder = Number(read());
    if (!alive(holder)) rmSync(file, { force: true });
    else if (!announced) console.log(`waiting for another build (process ${holder})`);
    await sleep(200);
  }
  process.on('exit', () => rmSync(file, { force: true }));
}

function take() {
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

function read() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // given back just now
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
