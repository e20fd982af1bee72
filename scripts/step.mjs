/**
 * How the scripts speak and how they start other programs.
 *
 * A step is one line with its elapsed seconds. What a program prints goes to a log under
 * .cache/logs and is shown only when it fails. Every program runs in a process group of its own,
 * so that a timeout, Ctrl-C or a `kill` ends its children too.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const cache = join(root, '.cache');

/** What is wrong and what to do about it, for the reader: printed without a stack trace. */
export class Failure extends Error {}

/** Runs `work` and prints `name` with the seconds it took. */
export async function step(name, work) {
  const start = performance.now();
  const result = await work();
  console.log(`${name.padEnd(44)} ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s`);
  return result;
}

/** Runs a script's `work`; a Failure becomes one message and exit code 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

const running = new Set();

/** Ends a child and everything it started. */
function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

process.on('exit', () => running.forEach(endGroup));
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]]) {
  process.on(signal, () => process.exit(128 + number));
}

/**
 * Runs a program to its end: `{ code, output, stdout, timedOut }`, with stdout and stderr
 * together in `output`. Options: `cwd`, `env` (added to this process's), `seconds` (then it is killed),
 * `signal` (aborted, it is killed too), `show` (its output also goes to the terminal).
 */
export function attempt(program, args, { cwd = root, env = {}, seconds, signal, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    let output = '';
    let stdout = '';
    let timedOut = false;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
      if (show) process.stdout.write(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (show) process.stderr.write(text);
    });
    const timer = seconds && setTimeout(() => {
      timedOut = true;
      endGroup(child);
    }, seconds * 1000);
    signal?.addEventListener('abort', () => endGroup(child), { once: true });
    child.on('error', (error) => {
      clearTimeout(timer);
      running.delete(child);
      if (error.code === 'ENOENT') reject(new Failure(`${basename(program)} was not found; is it installed and on PATH?`));
      else reject(error);
    });
    child.on('exit', () => endGroup(child)); // what it may have left behind, which would hold the pipes open
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code: code ?? signal, output, stdout, timedOut });
    });
  });
}

/** Like `attempt`, for a program that may be missing, which is code 127 as in a shell. */
export async function ask(program, args, { seconds = 60, ...options } = {}) {
  try {
    return await attempt(program, args, { seconds, ...options });
  } catch (error) {
    if (error instanceof Failure || error.code === 'EACCES') return { code: 127, output: '', stdout: '', timedOut: false };
    throw error;
  }
}

/** Runs a program that must succeed and returns its output; `log` names its file in .cache/logs. */
export async function run(program, args, { log, ...options } = {}) {
  const { code, output, timedOut } = await attempt(program, args, options);
  const file = log && join(cache, 'logs', `${log}.log`);
  if (file) {
    mkdirSync(join(cache, 'logs'), { recursive: true });
    writeFileSync(file, `$ ${[program, ...args].join(' ')}\n${output}`);
  }
  if (code === 0) return output;
  const ending = output.trimEnd().split('\n').slice(-40).join('\n');
  const how = timedOut ? `was ended after ${options.seconds} s` : `failed (${code})`;
  throw new Failure(`${ending}\n\n${log ?? basename(program)} ${how}${file ? `; all of its output: ${file}` : ''}`);
}
