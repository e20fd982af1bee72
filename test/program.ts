// A module's text in a process of its own, whichever runtime this is.
//
// From a file and not from the command line: how `--eval` is spelled differs, and so does what it can import.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Inside of the package, so that its name leads to it. */
const folder = fileURLToPath(new URL('../.cache/programs/', import.meta.url));

const written: string[] = [];

/** A file with that text, which goes when this process does. */
export function programFile(text: string): string {
  mkdirSync(folder, { recursive: true });
  const own = mkdtempSync(join(folder, 'program-'));
  if (written.length === 0) process.on('exit', () => written.forEach((each) => rmSync(each, { recursive: true, force: true })));
  written.push(own);
  const file = join(own, 'program.mjs');
  writeFileSync(file, text);
  return file;
}

/** Runs it with this runtime; it has `seconds` to end by itself. */
export function runProgram(text: string, { seconds = 20, flags = [] as string[], args = [] as string[] } = {}): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [...flags, programFile(text), ...args], { timeout: seconds * 1000 });
}
