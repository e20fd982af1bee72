// Text to tokens: long English text, and texts without a space, whose time must grow with their
// length alone. Verified by the offsets: they must be in order and reach the end.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '../dist/index.js';
import { weightsInPlace } from '../scripts/weights.mjs';
import { Report } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const fixtures = join(root, 'test', 'fixtures', 'tokenizer');

const TOKENIZERS = {
  WordPiece: weightsInPlace() ?? join(fixtures, 'word-piece'), // a vocabulary of real size, where there is one
  'byte-level BPE': join(fixtures, 'byte-level'),
  Unigram: join(fixtures, 'unigram'),
};

const ROUNDS = 7;
const CHARACTERS = 100_000;
const EMOJI = ['👋🏽', '👩‍👩‍👧‍👦', '🏳️‍🌈', '😀', '🚀', '❤️', '🇪🇺'].join('');

const TEXTS = {
  English: english(),
  letters: Array.from({ length: CHARACTERS }, (_, i) => 'abcdefghijklmnopqrstuvwxyz'[(i * i + 7 * i) % 26]).join(''),
  emoji: Array.from({ length: CHARACTERS }, (_, i) => [...EMOJI][i % [...EMOJI].length]).join(''),
  'the same letter': 'a'.repeat(CHARACTERS),
};

const report = new Report('tokenizer', 'TypeScript');
for (const [name, path] of Object.entries(TOKENIZERS)) {
  for (const [what, text] of Object.entries(TEXTS)) {
    const tokenizer = await Tokenizer.fromPretrained(path); // one that remembers no words
    const { inputIds, offsets } = tokenizer.encode(text);
    verify(text, offsets);
    const [best, ...others] = Array.from({ length: ROUNDS }, () => used(() => tokenizer.encode(text))).sort((a, b) => a - b) as [number, ...number[]];
    const bytes = Buffer.byteLength(text);
    report.add({
      what, tokenizer: name, 'vocabulary size': tokenizer.vocabSize, bytes, tokens: inputIds.length,
      'best ms': best, 'median ms': others[(ROUNDS >> 1) - 1]!, 'MB/s': bytes / 1e3 / best,
    });
  }
}
await report.keep();

/** Milliseconds of processor time, compiling and collecting garbage included: a neighbour on the machine takes less from it than from the clock. */
function used(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

/** The Markdown of the packages that the project is built with: English, and the code in it. */
function english(): string {
  const folder = join(root, 'node_modules');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.md$/i.test(name)).sort();
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
}

/** Special tokens left out. */
function verify(text: string, offsets: readonly [number, number][]): void {
  let last = [0, 0];
  for (const each of offsets.slice(1, -1)) {
    if (each[0] < last[0]! || each[1] < last[1]!) throw new Error(`tokens must be in order, one at ${String(each)} is behind one at ${String(last)}`);
    last = each;
  }
  if (text.slice(last[1]).trim() !== '') throw new Error(`tokens must cover the text, end at ${last[1]} of ${text.length}`);
}
