// Pictures and attention on the command line.

import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { patternSvg } from 'longformer-wasm';
import { attentionSvg } from '../dist/cli/attention-svg.js';
import { attentionText } from '../dist/cli/attention-text.js';
import { meanOfHeads, positionsOf, seenKeys, shownParts, strengthsOf, type AttentionView } from '../dist/cli/attention-view.js';
import { assertFails, longformer, type Ended } from './command.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

const TEXT = 'a b c\nd a f g h i j k l m n o p q r s t u v w x y a';

const test = suite<{ root: string }>('pictures');

test.before(async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'pictures-'));
  context.root = root;
  const made = await longformer(['convert', fixture('tiny-bert'), 'model', '--max-positions', '60', '--attention-window', '4', '--attention-dilation', '2'], { cwd: root });
  assert.is(made.code, 0, made.stderr);
  await mkdir(join(root, 'config-only'));
  await copyFile(join(root, 'model', 'config.json'), join(root, 'config-only', 'config.json'));
  // BERT with windows: its 40 positions begin at 0.
  await cp(fixture('tiny-bert'), join(root, 'bert'), { recursive: true });
  const config = JSON.parse(await readFile(join(root, 'bert', 'config.json'), 'utf8')) as object;
  await writeFile(join(root, 'bert', 'config.json'), JSON.stringify({ ...config, model_type: 'bert', architectures: ['BertModel'], attention_window: 16 }));
  await writeFile(join(root, 'text.txt'), TEXT);
  await writeFile(join(root, 'long.txt'), 'a b c '.repeat(30));
  await writeFile(join(root, 'empty.txt'), ' \n');
});

test.after(async ({ root }) => rm(root, { recursive: true }));

// ---------------------------------------------------------------------------- pattern

async function pattern(cwd: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await longformer(['pattern', ...args], { cwd });
  assert.is(code, 0, stderr);
  assert.is(stderr, '');
  return stdout;
}

test('pattern draws what its options say', async ({ root }) => {
  assert.is(await pattern(root), patternSvg({ seqLen: 24, oneSidedWindow: 3 }));
  assert.is(await pattern(root, '--tokens', '30', '--window', '8', '--dilation', '1,2', '--causal', '--global', '0,5'),
    patternSvg({ seqLen: 30, oneSidedWindow: 4, dilation: [1, 2], causal: true, globalTokens: [0, 5] }));
});

test('pattern draws a layer of a model, whose weights need not be there', async ({ root }) => {
  const drawn = (title: string, change: object): string =>
    patternSvg({ title, seqLen: 27, oneSidedWindow: 2, dilation: 2, ...change });
  assert.is(await pattern(root, '--model', './config-only', '--layer', '1'), drawn('Layer 1', {}));
  assert.is(await pattern(root, '--model', './config-only', '--layer', '0', '--head', '1', '--global', '0', '--tokens', '9'),
    drawn('Layer 0, head 1', { seqLen: 9, globalTokens: [0] }));
  assert.match(await pattern(root, '--model', './config-only', '--layer', '1', '--window', '8'), /4 keys per side, 2 apart/);
  assert.is(await pattern(root, '--model', './bert', '--layer', '0'), patternSvg({ title: 'Layer 0', seqLen: 40, oneSidedWindow: 8 }));
  const layer = await pattern(root, '--model', fixture('char-lm'), '--layer', '5');
  assert.match(layer, /Layer 5, heads 0-1/);
  assert.match(layer, /64 keys before/);
});

test('pattern --figure is the picture in examples', async ({ root }) => {
  assert.is(await pattern(root, '--figure', '--output', 'figure.svg'), '');
  const expected = await readFile(new URL('../examples/patterns.svg', import.meta.url), 'utf8');
  assert.is(await readFile(join(root, 'figure.svg'), 'utf8'), expected);
});

test('pattern refuses what makes no sense', async ({ root }) => {
  const fail = (...args: string[]): Promise<Ended> => longformer(['pattern', ...args], { cwd: root });
  assertFails(await fail('file'), 2, /"file"/, /Usage: longformer-wasm pattern/);
  assertFails(await fail('--window', '7'), 2, /--window must be even/, /7/);
  assertFails(await fail('--layer', '1'), 2, /--layer needs --model/);
  assertFails(await fail('--figure', '--tokens', '9'), 2, /--tokens does not go with --figure/);
  assertFails(await fail('--model', './model', '--layer', '0', '--causal'), 2, /--causal does not go with --model/);
  assertFails(await fail('--model', './model'), 2, /--layer/);
  assertFails(await fail('--model', './model', '--layer', '2'), 1, /--layer must be below the 2 layers of the model, got 2/);
  assertFails(await fail('--cache-dir', 'x'), 2, /--cache-dir needs --model/);
  assertFails(await fail('--model', './model', '--layer', '0', '--head', '9'), 1, /--head/, /9/);
  assertFails(await fail('--global', '24'), 1, /globalTokens\[0\]/, /24/);
  assertFails(await fail('--tokens', '5000'), 1, /seqLen/, /5000/);
  assertFails(await fail('--model', './nowhere', '--layer', '0'), 1, /nowhere/);
  assertFails(await fail('--output', 'no/such/folder.svg'), 1, /folder\.svg cannot be written/);
});

// ---------------------------------------------------------------------------- attend

interface KeyLine { position: number; token: string; distance: number; weight: number; start?: number; end?: number }
interface AttendLine { path: string; tokens: number; layer: number; head: number | 'mean'; globalTokens: number[]; query: { position: number; token: string }; places: number[]; keys: KeyLine[] }

async function attend(cwd: string, ...args: string[]): Promise<AttendLine> {
  const { code, stdout, stderr } = await longformer(['attend', '--model', './model', '--threads', '1', '--json', ...args], { cwd });
  assert.is(code, 0, stderr);
  return JSON.parse(stdout) as AttendLine;
}

const positions = ({ keys }: AttendLine): number[] => keys.map(({ position }) => position).sort((a, b) => a - b);

test('attend --json gives the tokens that are seen, the heaviest first', async ({ root }) => {
  const seen = await attend(root, '--token', 'k', 'text.txt');
  assert.equal([seen.path, seen.tokens, seen.layer, seen.head, seen.places], ['text.txt', 28, 1, 'mean', [11]]);
  assert.equal(seen.query, { position: 11, token: 'k', start: 20, end: 21 });
  assert.equal(positions(seen), [7, 9, 11, 13, 15]);
  for (const [i, { position, token, distance, weight, start, end }] of seen.keys.entries()) {
    assert.is(token, TEXT.slice(start, end));
    assert.is(distance, position - 11);
    assert.ok(i === 0 || weight <= seen.keys[i - 1]!.weight);
  }
  assert.ok(Math.abs(seen.keys.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-5);
});

test('attend takes a position, a layer, a head, global tokens', async ({ root }) => {
  const local = await attend(root, '--position', '11', '--layer', '0', '--head', '1', '--global', '27,0', '--top', '6', 'text.txt');
  assert.equal([local.layer, local.head, local.globalTokens, local.keys.length], [0, 1, [0, 27], 6]);
  const all = await attend(root, '--token', '[CLS]', '--global', '0', 'text.txt');
  assert.is(all.keys.length, 28);
  assert.equal(all.query, { position: 0, token: '[CLS]' });
  assert.equal(positions(await attend(root, '--position', '11', '--global', '0', 'text.txt')), [0, 7, 9, 11, 13, 15]);
});

test('attend prints a list where there is no terminal', async ({ root }) => {
  const { code, stdout, stderr } = await longformer(['attend', '--model', './model', '--token', 'a', '--top', '2', '--global', '0', 'text.txt'], { cwd: root });
  assert.is(code, 0);
  assert.is(stderr, '"a" stands 3 times, at tokens 1, 5, 26: this is the first\n');
  const lines = stdout.trimEnd().split('\n');
  assert.is(lines[0], 'Token 1, "a" sees 4 of 28 tokens in layer 1, mean of all heads');
  assert.is(lines[2], '  weight   token  distance');
  for (const line of lines.slice(3, 5)) assert.match(line, /^  0\.\d{4} +\d+ +[+-]?\d  ( \[CLS\]|.*\[\w\].*)$/);
  assert.match(lines[5]!, /^  0\.\d{4} for 2 other tokens$/);
  assert.is(lines.length, 6);
  assert.not.match(stdout, /\x1b/);
});

test('attend reads standard input and writes a picture', async ({ root }) => {
  const { code, stdout, stderr } = await longformer(['attend', '--model', './model', '--token', 'k', '--svg', 'attention.svg', '-'], { cwd: root, input: TEXT });
  assert.equal([code, stdout, stderr], [0, '', '']);
  const svg = await readFile(join(root, 'attention.svg'), 'utf8');
  assert.match(svg, /^<svg [^>]*aria-label="What token 11, &quot;k&quot;, pays in layer 1"/);
  for (const label of ['mean', 'head 0', 'head 1']) assert.match(svg, new RegExp(`>${label}<`));
});

test('attend reads as many tokens as the model has positions', async ({ root }) => {
  await writeFile(join(root, '40.txt'), 'a b '.repeat(19)); // and two special ones
  await writeFile(join(root, '41.txt'), `${'a b '.repeat(19)}c`);
  assert.is((await attend(root, '--model', './bert', '--token', 'b', '40.txt')).tokens, 40);
  assertFails(await longformer(['attend', '--model', './bert', '--token', 'b', '41.txt'], { cwd: root }), 1, /41\.txt must have at most 40 tokens/, /has 41/);
  // What is far too long is not read to its end, unless its tokens may be few.
  await writeFile(join(root, 'far.txt'), 'a b '.repeat(1000));
  assertFails(await longformer(['attend', '--model', './bert', '--token', 'b', 'far.txt'], { cwd: root }), 1, /far\.txt must have no more tokens/, /40; the first 1,280 characters alone have 642/);
  await writeFile(join(root, 'blanks.txt'), `a${' '.repeat(4000)}b`);
  assert.is((await attend(root, '--model', './bert', '--token', 'b', 'blanks.txt')).tokens, 4);
});

test('attend fails in one line', async ({ root }) => {
  const fail = (...args: string[]): Promise<Ended> => longformer(['attend', ...args], { cwd: root });
  const model = ['--model', './model'];
  assertFails(await fail('--token', 'a', 'text.txt'), 2, /--model/, /Usage: longformer-wasm attend/);
  assertFails(await fail(...model, 'text.txt'), 2, /--token or --position/);
  assertFails(await fail(...model, '--token', 'a', '--position', '1', 'text.txt'), 2, /--token or --position/);
  assertFails(await fail(...model, '--token', 'a'), 2, /FILE/);
  assertFails(await fail(...model, '--token', 'a', 'text.txt', 'long.txt'), 2, /FILE/, /2/);
  assertFails(await fail(...model, '--token', 'a', '--head', 'all', 'text.txt'), 2, /--head/, /"all"/);
  assertFails(await fail(...model, '--token', 'a', '--dtype', 'f8', 'text.txt'), 2, /--dtype must be one of f32, f16, int8, got "f8"/);
  assertFails(await fail(...model, '--token', 'a', '--cache-dir', '', 'text.txt'), 1, /cacheDir must be a path/);
  assertFails(await fail(...model, '--token', 'a', '--svg', 'x.svg', '--json', 'text.txt'), 2, /--svg/);
  assertFails(await fail(...model, '--token', 'zebra', 'text.txt'), 1, /text\.txt must hold "zebra"/);
  assertFails(await fail(...model, '--position', '28', 'text.txt'), 1, /--position must be below the 28 tokens of the text, got 28/);
  assertFails(await fail(...model, '--token', 'a', '--global', '30', 'text.txt'), 1, /--global/, /30/);
  assertFails(await fail(...model, '--token', 'a', '--layer', '2', 'text.txt'), 1, /--layer must be below the 2 layers/);
  assertFails(await fail(...model, '--token', 'a', '--head', '40', 'text.txt'), 1, /--head/, /40/);
  assertFails(await fail(...model, '--token', 'a', 'long.txt'), 1, /long\.txt must have at most 60 tokens/, /92/);
  assertFails(await fail(...model, '--token', 'a', 'empty.txt'), 1, /empty\.txt is empty/);
  assertFails(await fail('--model', './config-only', '--token', 'a', 'text.txt'), 1, /tokenizer/);
});

// ---------------------------------------------------------------------------- the view

/** A text of one word for each token, between two special ones; each weight is given. */
function viewOf(words: string, query: number, weights: number[], change: Partial<AttentionView> = {}): AttentionView {
  const found = [...words.matchAll(/\S+/g)];
  const offsets: [number, number][] = [[0, 0], ...found.map(({ index, 0: { length } }): [number, number] => [index!, index! + length]), [0, 0]];
  const sequenceIds = offsets.map((_, i) => (i === 0 || i === offsets.length - 1 ? null : 0 as const));
  const tokens = sequenceIds.map((id, i) => (id === 0 ? words.slice(...offsets[i]!) : i === 0 ? '[CLS]' : '[SEP]'));
  return {
    text: words, query, layer: 3, globalTokens: [], rows: [{ head: 'mean', weights: Float32Array.from(weights) }],
    encoding: { inputIds: new Uint32Array(tokens.length), tokens, offsets, sequenceIds, wordIds: sequenceIds.map((id, i) => (id === null ? null : i - 1)), specialTokensMask: sequenceIds.map((id) => (id === null ? 1 : 0)), tokenTypeIds: tokens.map(() => 0) },
    ...change,
  };
}

/** Codes as signs: `!{` the token itself, `{` a background, `<` dim, `*` bold, `}` the end. */
const paint = (text: string): string => text.replace(/\x1b\[([\d;]*)m/g, (_, code: string) => (code === '0' ? '}' : code === '2' ? '<' : code === '1' ? '*' : code.startsWith('1;') ? '!{' : '{'));

function onTerminal(view: AttentionView, columns: number, environment: Record<string, string>): string {
  const names = ['NO_COLOR', 'TERM', 'COLORTERM'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, environment);
  try {
    return attentionText(view, 2, { isTTY: true, columns, write() {} });
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}

test('on a terminal the text is painted, in lines that fit', () => {
  const view = viewOf('one two\nthree four five', 2, [0.4, 0.1, 0.2, 0, 0.3, 0, 0]);
  const text = onTerminal(view, 12, { TERM: 'xterm' });
  assert.equal(paint(text).split('\n').slice(0, 9), [
    '*Token 2, "two"} sees 4 of 7 tokens in layer 3, mean of all heads', '',
    '{[CLS]} {one}', '!{two}', '<three} {four}', '<...} <2} <tokens}', '<out} <of} <sight}', '<...}', '',
  ]);
  assert.not.match(text, /48;2;/);
  assert.match(onTerminal(view, 80, { TERM: 'xterm', COLORTERM: 'truecolor' }), /48;2;255;226;100m/);
  assert.not.match(onTerminal(view, 80, { NO_COLOR: '1' }), /\x1b|out of sight/);
});

test('what a file holds does not steer the terminal', () => {
  const text = onTerminal(viewOf('a\x1b[2J b\x07', 1, [0, 0.5, 0.5, 0]), 80, { TERM: 'xterm' });
  assert.not.match(text, /\x1b\[2J|\x07/);
});

test('parts out of sight are left out where they are long', () => {
  const words = Array.from({ length: 200 }, (_, i) => `w${i}`).join(' ');
  const weights = new Array<number>(202).fill(0);
  for (const position of [0, 100, 120, 150]) weights[position] = 0.25;
  const view = viewOf(words, 110, weights);
  assert.equal(shownParts(view), [[0, 1], [100, 151]]);
  assert.match(onTerminal(view, 300, { TERM: 'xterm' }).replace(/\x1b\[[\d;]*m/g, ''), /^\[CLS\]\n\.\.\. 99 tokens out of sight \.\.\.\nw99 w100 .* w149\n\.\.\. 51 tokens out of sight \.\.\.\n/m);
});

test('a word is found whole first, then in any case, then within others', () => {
  const view = viewOf('caters Cat cat. cat', 1, []);
  assert.equal(positionsOf('cat', view), [3, 4]);
  assert.equal(positionsOf('CAT', view), [2, 3, 4]);
  assert.equal(positionsOf('ate', view), [1]);
  assert.equal(positionsOf('t. c', view), [3]);
  assert.equal(positionsOf('[SEP]', view), [5]);
  assert.equal(positionsOf('(dog', view), []);
  assert.equal(positionsOf('a', view), [1, 2, 3, 4], 'each token once');
});

test('special tokens do not outshine the text', () => {
  const { encoding } = viewOf('a b', 1, []);
  assert.equal([...strengthsOf(Float32Array.of(0.8, 0.125, 0.03125, 0), encoding)], [1, 1, 0.5, 0]);
  assert.equal([...strengthsOf(Float32Array.of(1, 0, 0, 0), encoding)], [1, 0, 0, 0]);
  assert.equal([...strengthsOf(new Float32Array(4), encoding)], [0, 0, 0, 0]);
});

test('heads are averaged, keys sorted by weight', () => {
  assert.equal([...meanOfHeads(Float32Array.of(1, 0, 0, 0, 0.5, 0.5), 3)], [0.5, 0.25, 0.25]);
  assert.equal(seenKeys(Float32Array.of(0.25, 0, 0.5, 0.25)), [{ position: 2, weight: 0.5 }, { position: 0, weight: 0.25 }, { position: 3, weight: 0.25 }]);
});

test('a picture of attention has a path for each shade', () => {
  const svg = attentionSvg(viewOf('a <b> c', 2, [0, 0.25, 1, 0.25, 0]));
  assert.match(svg, /<path class="weight" opacity="0.5" d="M0 0h1v\.86h-1zM2 0h1v\.86h-1z"\/>/);
  assert.match(svg, /<path class="weight" opacity="1" d="M1 0h1v\.86h-1z"\/>/);
  assert.match(svg, />&lt;b&gt;</);
  const wide = attentionSvg(viewOf(Array.from({ length: 3000 }, () => 'w').join(' '), 5, new Array<number>(3002).fill(1)));
  assert.ok(Number(/width="(\d+)"/.exec(wide)![1]) < 1100);
  assert.not.match(wide, />w</);
});

test.run();
