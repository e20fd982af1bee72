// The texts that a command works on: arguments, files, folders, patterns, standard input.

import { LongformerError } from '../errors.ts';
import { UsageError } from './command.ts';
import { flag, texts, type Values } from './option.ts';
import { expandPaths } from './paths.ts';
import { printable } from './terminal.ts';
import { readTexts, type TextFile } from './texts.ts';

export const INPUT_OPTIONS = {
  text: texts('TEXT', 'the text itself, whatever it looks like'),
  lines: flag('each line is a text of its own'),
};

/** What the help says of them. */
export const ABOUT_INPUTS = `A TEXT is a file, a folder (its .md, .txt, .rst files and the like), a pattern with * and **, - for standard input, or, where it has a space and names no file, the text itself. Without any, standard input is read.`;

/** A text, and what it is called. */
export interface Input extends TextFile {
  /** Whether it is from a file, or given as it is. */
  readonly isFile: boolean;
}

/** All texts, in the order of the arguments; those of `--text` first. Throws where there are none. */
export async function readInputs(operands: readonly string[], { text = [], lines = false }: Values<typeof INPUT_OPTIONS>): Promise<Input[]> {
  const given = [...text];
  const files: string[] = [];
  const named: (string | { text: string })[] = given.map((text) => ({ text }));
  for (const operand of operands) {
    const paths = await pathsOf(operand);
    if (paths === null) named.push({ text: operand });
    else for (const path of paths) if (path === '-' || !files.includes(path)) named.push(files[files.push(path) - 1]!);
  }
  if (named.length === 0) {
    if (process.stdin.isTTY) throw new UsageError('a TEXT must be given: a file, a text in quotes, or - for standard input');
    named.push('-');
  }
  const literal = named.filter((one) => typeof one !== 'string').length;
  const inputs: Input[] = [];
  for (const one of named) {
    if (typeof one !== 'string') {
      if (one.text.trim() === '') throw new UsageError('a TEXT must not be blank');
      inputs.push({ path: literal === 1 ? '(text)' : `(text ${inputs.filter(({ isFile }) => !isFile).length + 1})`, text: one.text, isFile: false });
      continue;
    }
    const { texts, skipped } = await readTexts([one]);
    if (named.length === 1 && skipped[0] !== undefined) throw new LongformerError('BAD_FILE', printable(skipped[0].path), skipped[0].reason);
    for (const { path, reason } of skipped) process.stderr.write(`${printable(path)} ${reason}: left out\n`);
    for (const file of texts) inputs.push({ ...file, isFile: true });
  }
  const cut = lines ? inputs.flatMap(linesOf) : inputs;
  if (cut.length === 0) throw new LongformerError('NOT_FOUND', 'text', 'must be in one of the files, is in none');
  return cut;
}

/** The files that an argument names; null for a text. A name without a space that names nothing is a mistake, not a text. */
async function pathsOf(operand: string): Promise<string[] | null> {
  try {
    return await expandPaths([operand]);
  } catch (error) {
    if (!(error instanceof LongformerError && error.code !== 'BAD_FILE') || !/\s/.test(operand.trim())) throw error;
    return null;
  }
}

/** Each line with something in it. */
function linesOf({ path, text, isFile }: Input): Input[] {
  return text.split(/\r?\n/).map((line, i) => ({ path: `${path}:${i + 1}`, text: line, isFile })).filter(({ text }) => text.trim() !== '');
}

/** The line in which a place is, and how far in it: from 1. */
export function lineAndColumn(text: string, place: number): { line: number; column: number } {
  const before = text.slice(0, place);
  return { line: before.split('\n').length, column: place - before.lastIndexOf('\n') };
}
