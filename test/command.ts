// The command, run as its users run it.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';

export const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

export interface Ended {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

/** Runs the command in `cwd`. `onStart` sees the process, to interrupt it. */
export function longformer(args: string[], { cwd = '.', input = '', onStart = (_: { kill(signal: NodeJS.Signals): void }) => {} } = {}): Promise<Ended> {
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
