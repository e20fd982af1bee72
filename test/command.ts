// The command, run as its users run it.

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';

export const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** What stands before a file on the command line of this runtime, for a shell; `spawn` of Deno's knows it. */
export const ownArgs = 'deno' in process.versions ? ['run', '--allow-all'] : [];

/** Not by its own `kill`: in Deno a process counts as killed then, whatever it made of the signal. */
export function interrupt({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  process.kill(pid!, signal);
}

export interface Ended {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

/** Runs the command in `cwd`. `onStart` sees the process, to interrupt it. */
export function longformer(args: string[], { cwd = '.', input = '', onStart = (_: ChildProcess) => {} } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, timeout: 120_000 });
    const ended: Ended = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => { ended.stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { ended.stderr += text; });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...ended, code: code ?? signal }));
    child.stdin.on('error', () => {}); // a command that does not read it
    child.stdin.end(input);
    onStart(child);
  });
}

/** Exit code and message, and neither output nor a stack trace: one line, and perhaps one of what to do, which is moved in. */
export function assertFails({ code, stdout, stderr }: Ended, expected: number, ...patterns: RegExp[]): void {
  assert.is(code, expected, stderr);
  assert.is(stdout, '');
  for (const pattern of patterns) assert.match(stderr, pattern);
  assert.not.match(stderr, /^ +at /m, 'no stack trace');
  assert.not.match(stderr, /\[object|undefined/);
  if (expected === 1) assert.match(stderr, /^\S[^\n]*\n(  \S[^\n]*\n)?$/, `one line, or two: ${stderr}`);
}
