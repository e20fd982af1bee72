// The command as its users run it: arguments in, text and exit code out.

import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { largestError } from '../dist/cli/attention-check.js';
import { assertFails, interrupt, longformer, type Ended } from './command.ts';
import { definition, generator } from './definition.ts';

const fixture = fileURLToPath(new URL('./fixtures/tiny-bert', import.meta.url));

const letters = (count: number, step: number): string =>
  Array.from({ length: count }, (_, i) => 'abcdefghijklmnopqrstuvwxy'[(i * i + step * (i + 3)) % 25]).join(' ');

const NOTES = `# a b\n\n${letters(20, 1)}\n${letters(10, 2)}\n\n  ${letters(20, 3)}\n  ${letters(6, 4)}\n`;

const test = suite<{ root: string }>('command');

test.before(async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'cli-'));
  context.root = root;
  assert.is((await longformer(['convert', fixture, 'model', '--max-positions', '100', '--attention-window', '8'], { cwd: root })).code, 0);
  await mkdir(join(root, 'texts', 'deep', '.hidden'), { recursive: true });
  await writeFile(join(root, 'texts', 'notes.md'), NOTES);
  await writeFile(join(root, 'texts', 'deep', 'long.txt'), Array.from({ length: 30 }, (_, i) => letters(14, i)).join('\n\n'));
  await writeFile(join(root, 'texts', 'deep', 'code.js'), letters(9, 9));
  await writeFile(join(root, 'texts', 'deep', '.hidden', 'secret.md'), letters(9, 9));
  await writeFile(join(root, 'image.md'), new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 1]));
  await writeFile(join(root, 'latin1.txt'), new Uint8Array([0x63, 0x61, 0x66, 0xe9]));
  await writeFile(join(root, 'empty.txt'), ' \n');
});

test.after(async ({ root }) => rm(root, { recursive: true }));

interface PassageLine { path: string; startLine: number; endLine: number; start: number; end: number; score: number; text: string }
interface SummaryLine {
  summary: { documents: { path: string; tokens: number; windows: number; passages: number }[]; skipped: { path: string; reason: string }[]; tokens: number; seconds: number; tokensPerSecond: number; engine: { build: string; threads: number } };
}

/** The passages and the summary of a search with `--json`. */
async function search(cwd: string, args: string[], input = ''): Promise<{ passages: PassageLine[]; summary: SummaryLine['summary'] }> {
  const { code, stdout, stderr } = await longformer(['search', '--model', './model', '--threads', '2', '--json', ...args], { cwd, input });
  assert.is(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  return { passages: lines.slice(0, -1) as PassageLine[], summary: (lines.at(-1) as SummaryLine).summary };
}

// ---------------------------------------------------------------------------- search

test('search prints passages with file and lines, and what was read', async ({ root }) => {
  const question = NOTES.split('\n\n')[2]!.trim();
  const { code, stdout, stderr } = await longformer(['search', '--model', './model', '--max-tokens', '40', '--top', '1', question, 'texts/notes.md'], { cwd: root });
  assert.is(code, 0, stderr);
  assert.is(stderr, '', 'no progress where standard error is no terminal');
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[0]!, /^texts\/notes\.md:6-7  0\.\d{3}$/);
  assert.equal(lines.slice(1, 4), [`    ${letters(20, 3)}`, `    ${letters(6, 4)}`, '']);
  assert.match(lines[4]!, /^1 document, 61 tokens in [\d.]+ s \([\d,]+ tokens\/s\), \w+ [\d.]+, \w+-\w+, \d+ threads?$/);
  assert.is(lines.length, 5);
});

test('search --json prints a line for each passage and a summary', async ({ root }) => {
  const { passages, summary } = await search(root, ['--max-tokens', '40', 'a b', 'texts/notes.md']);
  assert.is(passages.length, 2);
  for (const { path, startLine, endLine, start, end, score, text } of passages) {
    assert.is(path, 'texts/notes.md');
    assert.is(text, NOTES.slice(start, end));
    assert.equal([startLine, endLine], text.startsWith('#') ? [1, 4] : [6, 7]);
    assert.ok(score >= -1.0001 && score <= 1.0001);
  }
  assert.equal(summary.documents, [{ path: 'texts/notes.md', tokens: 61, windows: 1, passages: 2, unchanged: false }]);
  assert.equal(summary.skipped, []);
  assert.is(summary.tokens, 61);
  assert.ok(summary.seconds > 0 && Math.abs(summary.tokensPerSecond - 61 / summary.seconds) < 1e-6);
  assert.is(summary.engine.threads, 2);
});

test('search says when a document was read in windows', async ({ root }) => {
  const { stdout } = await longformer(['search', '--model', './model', 'a b', 'texts/deep/long.txt'], { cwd: root });
  assert.match(stdout, /texts\/deep\/long\.txt has 422 tokens, more than the model reads at once: read in \d overlapping windows/);
});

test('search reads folders, patterns, files of any name, each once', async ({ root }) => {
  const paths = async (...files: string[]): Promise<string[]> => (await search(root, ['a b', ...files])).summary.documents.map(({ path }) => path);
  assert.equal(await paths('texts'), ['texts/notes.md', 'texts/deep/long.txt']);
  assert.equal(await paths('texts/deep/code.js', 'texts/', 'texts/notes.md'), ['texts/deep/code.js', 'texts/notes.md', 'texts/deep/long.txt']);
  assert.equal(await paths('texts/**/*.{js,md}'), ['texts/notes.md', 'texts/deep/code.js']);
  assert.equal(await paths('t?xts/*'), ['texts/notes.md']);
});

test('search reads standard input', async ({ root }) => {
  const { passages } = await search(root, ['a b', '-'], `\n\n${letters(12, 5)}`);
  assert.equal(passages.map(({ path, startLine, text }) => [path, startLine, text]), [['(standard input)', 3, letters(12, 5)]]);
});

test('search leaves out what is no text, and says so', async ({ root }) => {
  const { stderr } = await longformer(['search', '--model', './model', 'a b', 'image.md', 'latin1.txt', 'empty.txt', 'texts'], { cwd: root });
  assert.equal(stderr.trimEnd().split('\n'), [
    'texts: 1 hidden, 1 of other kinds left out', 'image.md is not UTF-8 text: left out', 'latin1.txt is not UTF-8 text: left out', 'empty.txt is empty: left out',
  ]);
  const { summary } = await search(root, ['a b', 'image.md', 'texts/notes.md']);
  assert.equal(summary.skipped, [{ path: 'image.md', reason: 'is not UTF-8 text' }]);
});

test('search keeps control characters of a file off the terminal', async ({ root }) => {
  await writeFile(join(root, 'escape.txt'), `a \x1b]0;owned\x07 b\x1b[31m c \r d`);
  const { stdout } = await longformer(['search', '--model', './model', 'a b', 'escape.txt'], { cwd: root });
  assert.not.match(stdout, /[\0-\x09\x0b-\x1f\x7f]/);
  const { passages } = await search(root, ['a b', 'escape.txt']);
  assert.match(passages[0]!.text, /\x1b/);
});

test('search takes its options', async ({ root }) => {
  assert.is((await search(root, ['--top', '2', 'a b', 'texts'])).passages.length, 2);
  const counts = async (...options: string[]): Promise<number> => (await search(root, [...options, 'a b', 'texts/notes.md'])).summary.documents[0]!.passages;
  assert.is(await counts('--passages', 'tokens', '--max-tokens', '20', '--overlap', '0'), 3);
  assert.is((await search(root, ['--vectors', 'alone', 'a b', 'texts/notes.md'])).summary.documents[0]!.windows, 0);
});

test('search fails in one line', async ({ root }) => {
  const fail = (...args: string[]): Promise<Ended> => longformer(['search', ...args], { cwd: root });
  assertFails(await fail('--model', './model', 'a b', 'nowhere.md'), 1, /nowhere\.md/);
  assertFails(await fail('--model', './model', 'a b', 'texts/*.rst'), 1, /texts\/\*\.rst/);
  assertFails(await fail('--model', './nowhere', 'a b', 'texts'), 1, /nowhere/);
  assertFails(await fail('--model', fixture, 'a b', 'texts'), 1, /model_type/);
  assertFails(await fail('--model', './model', '--max-tokens', '51', 'a b', 'texts'), 1, /maxTokens/, /51/);
  const nothing = await fail('--model', './model', 'a b', 'empty.txt');
  assert.is(nothing.code, 1);
  assert.match(nothing.stderr, /text must be in one of the files/);
});

test('a command line that is wrong gets a line of reason and the usage', async ({ root }) => {
  const wrong = (...args: string[]): Promise<Ended> => longformer(args, { cwd: root });
  assertFails(await wrong(), 2, /Usage: longformer-wasm <command>/, /  search +finds/);
  assertFails(await wrong('sing'), 2, /"sing"/, /help lists the commands/);
  assertFails(await wrong('serach'), 2, /did you mean search\?/);
  assertFails(await wrong('search', '--modle', 'x'), 2, /there is no option --modle: did you mean --model\?/);
  assertFails(await wrong('constructor'), 2, /"constructor"/);
  assertFails(await wrong('search'), 2, /--model/, /Usage: longformer-wasm search/);
  assertFails(await wrong('search', '--model', './model'), 2, /QUESTION/);
  assertFails(await wrong('search', '--model', './model', 'a b'), 2, /FILE/);
  assertFails(await wrong('search', '--model', './model', 'a b', 'texts', '--wings'), 2, /--wings/);
  assertFails(await wrong('search', '--model', './model', 'a b', 'texts', '--top', 'ten'), 2, /--top/, /"ten"/);
  assertFails(await wrong('search', '--model', './model', 'a b', 'texts', '--top'), 2, /--top/);
  assertFails(await wrong('search', '--model', './model', 'a b', 'texts', '--vectors', 'early'), 2, /--vectors/, /"early"/);
  assertFails(await wrong('convert', fixture), 2, /TARGET/);
  assertFails(await wrong('convert', fixture, 'other', '--attention-window', '8,x'), 2, /--attention-window/);
});

test('help and version go to standard output', async () => {
  const overview = (await longformer(['--help'])).stdout;
  for (const args of [['help'], ['-h']]) assert.is((await longformer(args)).stdout, overview);
  const names = [...overview.matchAll(/^  (\w+)  +\S/gm)].map(([, name]) => name!);
  assert.ok(['search', 'convert', 'help'].every((name) => names.includes(name)), overview);
  for (const name of names) {
    const { code, stdout, stderr } = await longformer([name, '--help']);
    assert.equal([code, stderr], [0, '']);
    assert.ok(stdout.startsWith(`Usage: longformer-wasm ${name}`));
    for (const part of [`\n\n${name} `, '\nGeneral:\n', '\nExamples:\n\n  # ', `\n  longformer-wasm ${name}`, '\nExit codes: 0 good, 1 failed, 2 wrong usage, 130 interrupted.\n']) assert.ok(stdout.includes(part), `${name}: ${part}`);
    assert.ok(stdout.split('\n').every((line) => line.length <= 132), name);
    assert.is((await longformer(['help', name])).stdout, stdout);
  }
  assert.match((await longformer(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('an interrupt ends a search with 130', async ({ root }) => {
  await writeFile(join(root, 'huge.txt'), Array.from({ length: 40_000 }, (_, i) => letters(20, i)).join('\n\n'));
  const { code, stdout, stderr } = await longformer(['search', '--model', './model', 'a b', 'huge.txt'], {
    cwd: root,
    onStart: (child) => setTimeout(() => interrupt(child, 'SIGINT'), 3000),
  });
  assert.is(code, 130, stderr);
  assert.is(stdout + stderr, '');
});

// ---------------------------------------------------------------------------- convert, info

test('convert makes a checkpoint and says what it is', async ({ root }) => {
  const { code, stdout } = await longformer(['convert', fixture, 'converted', '--max-positions', '64', '--attention-window', '8,16', '--json'], { cwd: root });
  assert.is(code, 0);
  assert.equal(JSON.parse(stdout), { target: 'converted', architecture: 'LongformerModel', droppedTensors: [] });
  assert.ok((await readdir(join(root, 'converted'))).includes('model.safetensors'));
});

test('convert leaves what is there alone', async ({ root }) => {
  await mkdir(join(root, 'occupied'));
  await copyFile(join(root, 'empty.txt'), join(root, 'occupied', 'mine.txt'));
  assertFails(await longformer(['convert', fixture, 'occupied'], { cwd: root }), 1, /occupied/);
  assertFails(await longformer(['convert', './nowhere', 'new'], { cwd: root }), 1, /nowhere/);
  assertFails(await longformer(['convert', fixture, 'new', '--attention-window', '7'], { cwd: root }), 1, /attentionWindow/);
  assert.equal((await readdir(root)).filter((name) => name.startsWith('new') || name.includes('partial')), []);
});

test('info says what the engine runs on', async () => {
  const { stdout } = await longformer(['info', '--threads', '1', '--json']);
  assert.is((JSON.parse(stdout) as { engine: { threads: number } }).engine.threads, 1);
  assert.match((await longformer(['info'])).stdout, /^  build +\w+-\w+$/m);
});

test('info says what a checkpoint is', async ({ root }) => {
  const { code, stdout } = await longformer(['info', './model', '--json'], { cwd: root });
  assert.is(code, 0);
  const { checkpoint } = JSON.parse(stdout) as { checkpoint: Record<string, unknown> };
  const { weights, ...fields } = checkpoint;
  assert.equal(fields, { model: './model', architecture: 'LongformerModel', layers: 2, hiddenSize: 16, heads: 2, positions: 100, attentionWindow: 8, attentionDilation: 1, vocabulary: 30, labels: [] });
  assert.is((weights as { dtypes: string[] }).dtypes.join(), 'F32');
  const charLm = await longformer(['info', '-m', fileURLToPath(new URL('./fixtures/char-lm', import.meta.url))]);
  assert.match(charLm.stdout, /^  window +16, 16, 32, 32, 64, 128 keys by layer/m);
  assert.match(charLm.stdout, /^  dilation +by layer and head: 1 \| 1 \| 1 \| 1 1 2 2 /m);
  assertFails(await longformer(['info', './model', './other'], { cwd: root }), 2, /one MODEL/);
  assertFails(await longformer(['info', 'a/b/c'], { cwd: root }), 1, /"a\/b\/c" is no directory/, /allenai\/longformer-base-4096/);
});

test('plan gives a line for each length', async ({ root }) => {
  const { code, stdout } = await longformer(['plan', '-m', './model', '--threads', '1', '--tokens', '10,100', '--json'], { cwd: root });
  assert.is(code, 0);
  const rows = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { tokens: number; peakBytes: number; weightBytes: number; flops: number });
  assert.equal(rows.map(({ tokens }) => tokens), [10, 100]);
  assert.ok(rows[0]!.flops * 9 < rows[1]!.flops && rows[0]!.weightBytes > 0 && rows[1]!.peakBytes > rows[1]!.weightBytes);
  assert.match((await longformer(['plan', '-m', './model'], { cwd: root })).stdout, /^tokens +memory +work +per token\n +100  /m);
  assertFails(await longformer(['plan', '-m', './model', '--tokens', '101'], { cwd: root }), 1, /tokens/, /101/);
});

test('bench verifies, times and says on what', async ({ root }) => {
  const { code, stdout, stderr } = await longformer(['bench', '-m', './model', '--threads', '1', '--tokens', '9,90', '--json'], { cwd: root });
  assert.equal([code, stderr], [0, '']);
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, number | string>);
  assert.equal(lines.map(({ what, tokens }) => [what, tokens]), [['attention', 9], ['attention', 90], ['./model f32', 9], ['./model f32', 90]]);
  for (const { error, tolerance, tokens, tokensPerSecond, bestMilliseconds, medianMilliseconds, rounds, runtime, build, threads, cpu, cores } of lines) {
    assert.ok((error as number) >= 0 && error! <= tolerance!);
    assert.ok(Math.abs(Number(tokensPerSecond) * Number(bestMilliseconds) / 1000 / Number(tokens) - 1) < 1e-9 && medianMilliseconds! >= bestMilliseconds!);
    assert.ok(Number(rounds) >= 1 && threads === 1 && Number(cores) >= 1 && /^(node|deno|bun) \d+\.\d+\.\d+$/.test(String(runtime)) && build && cpu);
  }
});

test('a check of attention finds what is wrong', () => {
  const [seqLen, numHeads, headDim] = [6, 2, 4];
  const random = generator(3);
  const tensor = (): Float32Array => Float32Array.from({ length: seqLen * numHeads * headDim }, random);
  const input = { query: tensor(), key: tensor(), value: tensor(), seqLen, numHeads, headDim, oneSidedWindow: 1, globalTokens: [0] };
  const context = Float32Array.from(definition(input, { oneSidedWindow: 1, dilation: [1, 1], causal: false, globalTokens: [0], masked: [] }));
  assert.ok(largestError(input, context, [0, 3, 5]) < 1e-6);
  context[3 * numHeads * headDim + 5]! += 0.01;
  assert.ok(Math.abs(largestError(input, context, [0, 3, 5]) - 0.01) < 1e-6);
  context[0] = NaN;
  assert.not.ok(largestError(input, context, [0, 3, 5]) <= 1);
});

test.run();
