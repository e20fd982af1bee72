// Pipelines on the command line: texts in, text or lines of JSON out.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pipeline, type Pipelines } from 'longformer-wasm';
import { markedContext } from '../dist/cli/marked-context.js';
import { assertFails, longformer, type Ended } from './command.ts';
import { writeTinyModel } from './tiny-models.ts';

const TEXT = 'The quick brown fox jumps over the lazy dog, and then it sleeps for an hour in the sun.';
const LONG = Array.from({ length: 60 }, (_, i) => `The fox ${['sleeps', 'runs', 'jumps'][i % 3]} in the sun for hour ${i}.`).join('\n');

const test = suite<{ root: string; classify: Pipelines['text-classification'] }>('pipelines on the command line');

test.before(async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'cli-pipelines-'));
  context.root = root;
  for (const head of ['classifier', 'regression', 'question-answering', 'tagger', 'masked-lm']) await writeTinyModel(join(root, head), 'word-piece', head);
  await mkdir(join(root, 'texts'));
  await writeFile(join(root, 'texts', 'fox.txt'), `A line before.\n\n${TEXT}\n`);
  await writeFile(join(root, 'texts', 'long.md'), LONG);
  await writeFile(join(root, 'empty.txt'), '\n');
  context.classify = await pipeline('text-classification', join(root, 'classifier'), { threads: 1 });
});

test.after(async ({ root, classify }) => {
  await classify.dispose();
  await rm(root, { recursive: true });
});

async function run(cwd: string, args: string[], input = ''): Promise<Ended> {
  const ended = await longformer([...args, '--threads', '1'], { cwd, input });
  assert.is(ended.code, 0, ended.stderr);
  return ended;
}

async function lines<Line>(cwd: string, args: string[], input = ''): Promise<Line[]> {
  const { stdout } = await run(cwd, [...args, '--json'], input);
  assert.ok(stdout === '' || stdout.endsWith('\n'));
  return stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Line);
}

// ---------------------------------------------------------------------------- inputs

interface Labels { path: string; labels: { label: string; score: number }[]; read: { tokens: number; windows: number; complete: boolean } }

test('texts come from arguments, files, folders, patterns and standard input', async ({ root }) => {
  const paths = async (args: string[], input = ''): Promise<string[]> =>
    (await lines<Labels>(root, ['classify', '-m', './classifier', '--overflow', 'truncate', ...args], input)).map(({ path }) => path);
  assert.equal(await paths(['one text']), ['(text)']);
  assert.equal(await paths(['one text', 'another one?', 'texts/fox.txt']), ['(text 1)', '(text 2)', 'texts/fox.txt']);
  assert.equal(await paths(['--text', 'word', '--text', 'texts/fox.txt']), ['(text 1)', '(text 2)']);
  assert.equal(await paths(['texts', 'texts/*.txt']), ['texts/fox.txt', 'texts/long.md']);
  assert.equal(await paths([], 'from a pipe'), ['(standard input)']);
  assert.equal(await paths(['-', 'and a text'], 'from a pipe'), ['(standard input)', '(text)']);
  assert.equal(await paths(['--lines'], 'one\n\n two\r\n'), ['(standard input):1', '(standard input):3']);
});

test('what is no text is refused', async ({ root }) => {
  const fail = (args: string[], input = ''): Promise<Ended> => longformer(['classify', '-m', './classifier', ...args], { cwd: root, input });
  assertFails(await fail(['nowhere.txt']), 1, /nowhere\.txt must be a file/, /--text "nowhere\.txt"/);
  assertFails(await fail([], ' \n'), 1, /\(standard input\) is empty/);
  assertFails(await fail(['--text', ' ']), 2, /blank/);
  assertFails(await fail(['texts/long.md']), 1, /^longformer-wasm classify: texts\/long\.md must have at most 128 tokens, has \d+[^:\n]*\n  --overflow window/);
  assertFails(await longformer(['classify', 'a text'], { cwd: root }), 2, /--model must be given/);
  assertFails(await longformer(['classify', '-m', './tagger', 'a text'], { cwd: root }), 1, /text-classification/, /LongformerForTokenClassification|LongformerForSequenceClassification/);
});

// ---------------------------------------------------------------------------- classify

test('classify gives what the pipeline gives', async ({ root, classify }) => {
  const [first, second] = await lines<Labels>(root, ['classify', '-m', './classifier', TEXT, 'a b']);
  assert.equal([first!.labels, second!.labels], await classify([TEXT, 'a b'], { topK: null }));
  assert.equal({ index: 0, ...first!.read }, (await classify.withReport(TEXT)).read[0]);
  assert.is((await lines<Labels>(root, ['classify', '-m', './classifier', '--top', '1', TEXT]))[0]!.labels.length, 1);
  const [pair] = await lines<Labels>(root, ['classify', '-m', './classifier', '--pair', 'a b', TEXT]);
  assert.equal(pair!.labels, await classify({ text: TEXT, pair: 'a b' }, { topK: null }));
});

test('classify prints a bar for each label', async ({ root, classify }) => {
  const expected = await classify(TEXT, { topK: null });
  const printed = (await run(root, ['classify', '-m', './classifier', TEXT])).stdout.trimEnd().split('\n');
  assert.is(printed.length, expected.length);
  for (const [i, { label, score }] of expected.entries()) {
    const [, name, bar, figure] = /^(.*?) +([█▏▎▍▌▋▊▉]*) +(\d\.\d{3})$/.exec(printed[i]!)!;
    assert.equal([name, figure], [label, score.toFixed(3)]);
    assert.ok(Math.abs(bar!.length - 24 * score) <= 1, printed[i]);
  }
  assert.match((await run(root, ['classify', '-m', './regression', TEXT])).stdout, /^\S+ +-?\d+\.\d{3}\n$/);
});

test('long texts are read in parts, or not to their ends, and that is said', async ({ root }) => {
  const whole = await run(root, ['classify', '-m', './classifier', '--overflow', 'window', 'texts/long.md']);
  assert.match(whole.stderr, /^texts\/long\.md: [\d,]+ tokens, more than are read at once: read in \d+ overlapping parts\n$/);
  const cut = await run(root, ['classify', '-m', './classifier', '--overflow', 'truncate', '--max-tokens', '40', 'texts/long.md']);
  assert.match(cut.stderr, /^texts\/long\.md: read until line \d+, 40 tokens; the rest was left out\n$/);
});

// ---------------------------------------------------------------------------- ask

interface AnswerLine { path: string; line: number; column: number; answer: string; start: number; end: number; score: number }

test('ask gives answers with their places, the best of all texts first', async ({ root }) => {
  const found = await lines<AnswerLine>(root, ['ask', '-m', './question-answering', '--top', '3', 'What does the fox do?', 'texts/fox.txt', TEXT]);
  assert.is(found.length, 3);
  const texts: Record<string, string> = { 'texts/fox.txt': `A line before.\n\n${TEXT}\n`, '(text)': TEXT };
  for (const [i, { path, line, column, answer, start, end, score }] of found.entries()) {
    const text = texts[path]!;
    assert.is(text.slice(start, end), answer);
    assert.is(text.split('\n')[line - 1]!.slice(column - 1).startsWith(answer.split('\n')[0]!), true);
    assert.ok(i === 0 || score <= found[i - 1]!.score);
  }
  const alone = await pipeline('question-answering', join(root, 'question-answering'), { threads: 1 });
  const best = await alone({ question: 'What does the fox do?', context: TEXT }, { topK: 1 });
  await alone.dispose();
  const [one] = await lines<AnswerLine>(root, ['ask', '-m', './question-answering', 'What does the fox do?', TEXT]);
  assert.equal([{ answer: one!.answer, start: one!.start, end: one!.end, score: one!.score }], [best].flat());
});

test('ask prints file, line and score, and the answer in its text', async ({ root }) => {
  const [{ answer, score }] = await lines<AnswerLine>(root, ['ask', '-m', './question-answering', 'What does the fox do?', 'texts/fox.txt']) as [AnswerLine];
  const { stdout } = await run(root, ['ask', '-m', './question-answering', 'What does the fox do?', 'texts/fox.txt']);
  const [title, text] = stdout.split('\n') as [string, string];
  assert.match(title, /^texts\/fox\.txt:[13]  \d\.\d{3}$/);
  assert.ok(title.endsWith(score.toFixed(3)));
  assert.ok(text.startsWith('    ') && text.includes(`[${answer.replace(/\s+/g, ' ')}]`), stdout);
  assertFails(await longformer(['ask', '-m', './question-answering', ' ', 'texts'], { cwd: root }), 2, /QUESTION/);
});

test('what is marked is shown with the paragraph around it', () => {
  const plain = { write() {} };
  assert.equal(markedContext('before\n\none two\nthree\n\nafter', { start: 12, end: 15 }, plain), ['one [two] three']);
  const long = `${'word '.repeat(100)}KEY ${'more '.repeat(100)}`;
  const [line] = markedContext(long, { start: 500, end: 503 }, plain) as [string];
  assert.match(line, /^\.\.\. word .* word \[KEY\] more .* more \.\.\.$/);
  assert.ok(line.length < 520);
  const screen = markedContext(long, { start: 500, end: 503 }, { isTTY: true, columns: 40, write() {} });
  assert.ok(screen.length > 10 && screen.every((part) => part.replace(/\x1b\[[\d;]*m/g, '').length <= 36));
  assert.is(screen.join(' ').replace(/\x1b\[[\d;]*m|[[\]]/g, ''), line.replace(/[[\]]/g, ''));
  assert.not.match(markedContext('a \x1b[2J b \ue000 c', { start: 0, end: 1 }, plain)[0]!, /[\x1b\ue000]/);
});

// ---------------------------------------------------------------------------- tag

interface EntityLine { path: string; entities: { entity: string; score: number; start: number; end: number; word: string }[] }

test('tag gives entities with their places', async ({ root }) => {
  const [{ entities }] = await lines<EntityLine>(root, ['tag', '-m', './tagger', '--aggregation', 'first', TEXT]) as [EntityLine];
  const alone = await pipeline('token-classification', join(root, 'tagger'), { threads: 1 });
  assert.equal(entities, await alone(TEXT, { aggregation: 'first' }));
  await alone.dispose();
  assert.ok(entities.length > 0);
  const sure = await lines<EntityLine>(root, ['tag', '-m', './tagger', '--aggregation', 'first', '--min-score', '0.5', TEXT]);
  assert.equal(sure[0]!.entities, entities.filter(({ score }) => score >= 0.5));
});

test('tag lists entities, or writes them into the text', async ({ root }) => {
  const [{ entities }] = await lines<EntityLine>(root, ['tag', '-m', './tagger', 'texts/fox.txt']) as [EntityLine];
  const text = `A line before.\n\n${TEXT}\n`;
  const list = (await run(root, ['tag', '-m', './tagger', 'texts/fox.txt'])).stdout.trimEnd().split('\n');
  assert.is(list.length, entities.length);
  for (const [i, { entity, start, end }] of entities.entries()) {
    const [, line, column, kind, word] = /^texts\/fox\.txt:(\d+):(\d+) +(\S+) +\d\.\d{3}  (.*)$/.exec(list[i]!)!;
    assert.equal([kind, word], [entity, text.slice(start, end).replace(/\s+/g, ' ')]);
    assert.ok(text.split('\n')[Number(line) - 1]!.slice(Number(column) - 1).startsWith(word!.split(' ')[0]!));
  }
  const { stdout } = await run(root, ['tag', '-m', './tagger', '--show', 'inline', 'texts/fox.txt']);
  assert.is(stdout.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'), text);
  assert.is([...stdout.matchAll(/\]\(/g)].length, entities.length);
  assertFails(await longformer(['tag', '-m', './tagger', '--show', 'list', '--json', TEXT], { cwd: root }), 2, /--show does not go with --json/);
});

// ---------------------------------------------------------------------------- fill, embed

test('fill gives candidates for each mask', async ({ root }) => {
  const text = 'The quick [MASK] jumps over\nthe [MASK] dog.';
  const [{ masks }] = await lines<{ masks: { tokenStr: string; score: number; start: number; end: number }[][] }>(root, ['fill', '-m', './masked-lm', '--top', '3', text]) as [{ masks: { tokenStr: string; score: number; start: number; end: number }[][] }];
  const alone = await pipeline('fill-mask', join(root, 'masked-lm'), { threads: 1 });
  assert.equal(masks, await alone(text, { topK: 3 }));
  await alone.dispose();
  const { stdout } = await run(root, ['fill', '-m', './masked-lm', '--top', '3', text]);
  const printed = stdout.trimEnd().split('\n');
  assert.equal([printed.length, printed[0], printed[4]], [8, 'mask 1, line 1, column 11', 'mask 2, line 2, column 5']);
  assert.ok(printed[1]!.endsWith(masks[0]![0]!.score.toFixed(3)));
  assertFails(await longformer(['fill', '-m', './masked-lm', 'no mask here'], { cwd: root }), 1, /\(text\) must hold the mask token \[MASK\]/);
});

interface VectorLine { path: string; embedding: number[] | number[][] }

test('embed prints vectors, or keeps them in files', async ({ root }) => {
  const alone = await pipeline('feature-extraction', join(root, 'classifier'), { threads: 1 });
  const expected = await alone([TEXT, 'a b'], { pooling: 'mean', normalize: true });
  await alone.dispose();
  const [rows, cols] = expected.dims as [number, number];
  const args = ['embed', '-m', './classifier', '--pooling', 'mean', '--normalize'];
  const printed = await lines<VectorLine>(root, [...args, TEXT, 'a b']);
  assert.equal(printed.map(({ path }) => path), ['(text 1)', '(text 2)']);
  assert.equal(Float32Array.from(printed.flatMap(({ embedding }) => embedding as number[])), expected.data);
  for (const name of ['v.f32', 'v.npy', 'v.jsonl']) {
    const { stdout, stderr } = await run(root, [...args, '-o', name, TEXT, 'a b']);
    assert.is(stdout, '');
    assert.match(stderr, new RegExp(`^${name}: 2 texts`));
  }
  const floats = (bytes: Buffer): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);
  assert.equal(floats(await readFile(join(root, 'v.f32'))), expected.data);
  const npy = await readFile(join(root, 'v.npy'));
  const length = 10 + npy.readUInt16LE(8);
  assert.is(npy.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00');
  assert.is(length % 64, 0);
  assert.match(npy.subarray(10, length).toString(), new RegExp(`^\\{'descr': '<f4', 'fortran_order': False, 'shape': \\(${rows}, ${cols}\\), \\} *\n$`));
  assert.equal(floats(npy.subarray(length)), expected.data);
  assert.equal((await readFile(join(root, 'v.jsonl'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown), printed);
  const [matrix] = await lines<VectorLine>(root, ['embed', '-m', './classifier', '--pooling', 'none', 'a b']);
  assert.ok(Array.isArray(matrix!.embedding[0]) && (matrix!.embedding[0] as number[]).length === cols);
  assertFails(await longformer([...args, '-o', 'v.csv', TEXT], { cwd: root }), 2, /--output must end in \.jsonl, \.npy, \.f32, got "v\.csv"/);
  assertFails(await longformer(['embed', '-m', './classifier', '--pooling', 'none', '-o', 'v.npy', TEXT, 'a b'], { cwd: root }), 2, /--pooling none/, /2 texts/);
});

test.run();
