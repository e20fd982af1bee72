// What is each task's own, beyond what transformers has: windows, places, defaults, refusals.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, pipeline, SearchIndex, Tokenizer, type Engine, type Pipelines, type Tensor } from 'longformer-wasm';
import { assertClose } from './close.ts';
import { assertRefuses } from './rejects.ts';
import { tinyPipeline } from './tiny-pipelines.ts';

const WORDS = 'the quick brown fox jumps over the lazy dog and reads one long book after another ';
const LONG = WORDS.repeat(12).trim();

const suiteOf = (name: string): ReturnType<typeof suite<{ engine: Engine }>> => {
  const test = suite<{ engine: Engine }>(name);
  test.before(async (context) => {
    context.engine = await createEngine({ threads: 1 });
  });
  test.after(({ engine }) => engine.dispose());
  return test;
};

const rowsOf = ({ dims: [rows, cols], data }: Tensor): number[][] =>
  Array.from({ length: rows! }, (_, row) => Array.from(data.subarray(row * cols!, (row + 1) * cols!)));

const columns = (rows: readonly number[][], of: (column: number[]) => number): number[] => rows[0]!.map((_, col) => of(rows.map((row) => row[col]!)));
const mean = (column: number[]): number => column.reduce((sum, x) => sum + x, 0) / column.length;
const lengthOf = (row: readonly number[]): number => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));

// ---------------------------------------------------------------------------- feature-extraction

const features = suiteOf('feature-extraction');

const extractor = async (engine: Engine, files: Record<string, unknown> = {}): Promise<Pipelines['feature-extraction']> =>
  pipeline('feature-extraction', await tinyPipeline('word-piece', null, {}, files), { engine });

const pooling = (...modes: string[]): Record<string, boolean> => Object.fromEntries(modes.map((mode) => [`pooling_mode_${mode}`, true]));
const modules = (...types: string[]): { type: string; path: string }[] =>
  types.map((type, i) => ({ type: `sentence_transformers.models.${type}`, path: i === 0 ? '' : `${i}_${type}` }));

features('pools the vectors of the tokens', async ({ engine }) => {
  const extract = await extractor(engine);
  const texts = [WORDS, 'word'];
  const tokens = (await extract(texts, { pooling: 'none' })).map(rowsOf);
  const expected = {
    mean: tokens.map((rows) => columns(rows, mean)),
    cls: tokens.map((rows) => rows[0]!),
    max: tokens.map((rows) => columns(rows, (column) => Math.max(...column))),
  };
  for (const [name, rows] of Object.entries(expected)) {
    const tensor = await extract(texts, { pooling: name as 'mean' });
    assert.equal(tensor.dims, [2, 12], name);
    assertClose(tensor.data, Float32Array.from(rows.flat()), 1e-5, name);
    const normal = await extract(texts, { pooling: name as 'mean', normalize: true });
    assertClose(normal.data, Float32Array.from(rows.flatMap((row) => row.map((x) => x / lengthOf(row)))), 1e-5, name);
  }
  assert.equal((await extract('word')).dims, [1, 12]);
  assert.equal((await extract([])).dims, [0, 12]);
  const unit = await extract('word', { pooling: 'none', normalize: true });
  assert.equal(unit.dims, [3, 12]);
  for (const row of rowsOf(unit)) assert.ok(Math.abs(lengthOf(row) - 1) < 1e-5);
});

features('follows the files of sentence-transformers', async ({ engine }) => {
  const plain = await extractor(engine);
  const of = (pooling: 'mean' | 'cls' | 'max', normalize: boolean): Promise<Tensor> => plain(WORDS, { pooling, normalize });
  const cases: [Record<string, unknown>, Promise<Tensor>][] = [
    [{}, of('mean', false)],
    [{ '1_Pooling/config.json': pooling('cls_token') }, of('cls', false)],
    [{ '1_Pooling/config.json': { pooling_mode: 'max' } }, of('max', false)],
    [{ 'modules.json': modules('Transformer', 'Pooling', 'Normalize'), '1_Pooling/config.json': pooling('max_tokens') }, of('max', true)],
    [{ 'modules.json': modules('Transformer', 'Pooling'), '1_Pooling/config.json': {} }, of('mean', false)],
    [{ 'modules.json': modules('Transformer', 'Normalize') }, of('mean', true)],
  ];
  for (const [files, expected] of cases) assert.equal(await (await extractor(engine, files))(WORDS), await expected, JSON.stringify(files));

  const dense = await extractor(engine, { 'modules.json': modules('Transformer', 'Pooling', 'Dense') });
  await assertRefuses(() => dense(WORDS), 'BAD_FILE', /modules.json must name Transformer, Pooling and Normalize alone, names "sentence_transformers.models.Dense"/);
  assert.equal(await dense(WORDS, { pooling: 'cls', normalize: false }), await of('cls', false));
  const last = await extractor(engine, { '1_Pooling/config.json': pooling('lasttoken') });
  await assertRefuses(() => last(WORDS), 'BAD_FILE', /must pool by mean, cls or max, names "lasttoken"/);
  const two = await extractor(engine, { '1_Pooling/config.json': pooling('cls_token', 'mean_tokens') });
  await assertRefuses(() => two(WORDS), 'BAD_FILE', /names "cls", "mean"/);
});

features('reads a long text in windows, each token once', async ({ engine }) => {
  const extract = await extractor(engine);
  const tokenizer = await Tokenizer.fromPretrained(await tinyPipeline('word-piece', null));
  const windows = { overflow: 'window', maxTokens: 50, stride: 12 } as const;
  const { result, read } = await extract.withReport(LONG, { ...windows, pooling: 'none' });
  assert.is(result.dims[0], tokenizer.encode(LONG).inputIds.length);
  assert.is(read[0]!.tokens, result.dims[0]);
  assert.ok(read[0]!.windows > 4);
  const rows = rowsOf(result);
  // Far from every cut, a token sees what it sees in a window by itself.
  const [first] = tokenizer.encodeWindows(LONG, { maxLength: 50, stride: 12 });
  const alone = rowsOf(await extract(LONG.slice(0, first!.offsets.at(-2)![1]), { pooling: 'none' }));
  assert.equal(rows.slice(0, 43), alone.slice(0, 43));
  assert.not.equal(rows[43], alone[43]); // the next window's
  assertClose((await extract(LONG, { ...windows, pooling: 'mean' })).data, Float32Array.from(columns(rows, mean)), 1e-5, 'mean');
  assertClose((await extract(LONG, { ...windows, pooling: 'max' })).data, Float32Array.from(columns(rows, (column) => Math.max(...column))), 1e-6, 'max');
});

features('refuses what is no way of pooling', async ({ engine }) => {
  const extract = await extractor(engine);
  await assertRefuses(() => extract('a', { pooling: 'first' as 'mean' }), 'BAD_INPUT', /^pooling must be one of mean, cls, max, none, got "first"/);
  await assertRefuses(() => extract('a', { normalize: 1 as unknown as boolean }), 'BAD_INPUT', /^normalize must be true or false/);
});

features.run();

// ---------------------------------------------------------------------------- fill-mask

const masks = suiteOf('fill-mask');

const filler = async (engine: Engine): Promise<Pipelines['fill-mask']> =>
  pipeline('fill-mask', await tinyPipeline('byte-level', 'masked-lm'), { engine });

masks('gives the place of each mask, in windows too', async ({ engine }) => {
  const fill = await filler(engine);
  const text = `<mask> ${LONG} <mask> ${LONG} <mask>`;
  const { result, read } = await fill.withReport(text, { overflow: 'window', topK: 2 });
  assert.ok(read[0]!.windows > 2 && read[0]!.complete);
  assert.equal(result.map((mask) => mask.map(({ start }) => start)), [0, LONG.length + 8, text.length - 6].map((start) => [start, start]));
  assert.ok(result.flat().every(({ start, end }) => text.slice(start, end) === '<mask>'));
  const [near, alone] = [result[0]![0]!, (await fill(text.slice(0, 300), { overflow: 'truncate', topK: 1 }))[0]![0]!];
  assert.is(near.token, alone.token);
});

masks('fills each mask once, also where windows overlap', async ({ engine }) => {
  const fill = await filler(engine);
  const text = 'a <mask> of the '.repeat(40);
  const { result, read } = await fill.withReport(text, { overflow: 'window', maxTokens: 60, stride: 20, topK: 1 });
  assert.ok(read[0]!.windows > 3);
  assert.equal(result.map(([best]) => best!.start), Array.from({ length: 40 }, (_, i) => 2 + 16 * i));
});

masks('takes targets as the vocabulary spells them, or as text', async ({ engine }) => {
  const fill = await filler(engine);
  const text = 'read the <mask>, please';
  const all = (await fill(text, { topK: null }))[0]!;
  assert.ok(all.length > 1000 && Math.abs(all.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-6);
  const [found] = await fill(text, { targets: ['Ġwork', ' work', ' the'] });
  assert.equal(found!.map(({ tokenStr }) => tokenStr).sort(), [' the', ' work']);
  for (const { token, score } of found!) assert.is(score, all.find((other) => other.token === token)!.score);
  await assertRefuses(() => fill(text, { targets: [' the', 'unheard of'] }), 'BAD_INPUT', /^targets\[1\] must be one token, "unheard of" is \d+: /);
  await assertRefuses(() => fill(text, { targets: [] }), 'BAD_INPUT', /^targets must be a token or a list of them/);
});

masks('refuses texts without masks, and tokenizers without one', async ({ engine }) => {
  const fill = await filler(engine);
  await assertRefuses(() => fill(['a <mask>', 'read the [MASK]']), 'BAD_INPUT', /^input\[1\] must hold the mask token <mask>/);
  await assertRefuses(() => fill(`${LONG} <mask>`, { overflow: 'truncate' }), 'BAD_INPUT', /^input must hold the mask token <mask> among the tokens that are read/);
  const files = await tinyPipeline('byte-level', 'masked-lm', {}, { 'tokenizer_config.json': { mask_token: '<none>' } });
  await assertRefuses(() => pipeline('fill-mask', files, { engine }), 'BAD_FILE', /must have a tokenizer with a mask token/);
});

masks.run();

// ---------------------------------------------------------------------------- multiple-choice

const choices = suiteOf('multiple-choice');

choices('rates choices, the best first, and cuts the prompt', async ({ engine }) => {
  const choose = await pipeline('multiple-choice', await tinyPipeline('byte-level', 'choices'), { engine });
  const input = { prompt: WORDS, choices: ['a dog', 'a long book', '</s> is no separator here', 'a fox'] };
  const rated = await choose(input);
  assert.equal(rated.map(({ index }) => input.choices[index]), rated.map(({ choice }) => choice));
  assert.ok(rated.every(({ score }, i) => i === 0 || rated[i - 1]!.score >= score));
  assert.ok(Math.abs(rated.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-9);
  assert.equal(await choose(input, { topK: 1 }), rated.slice(0, 1));
  assert.equal(await choose([input, { prompt: 'x', choices: ['y'] }]), [rated, [{ choice: 'y', index: 0, score: 1 }]]);

  const long = { prompt: LONG, choices: input.choices };
  await assertRefuses(() => choose(long), 'BAD_INPUT', /^input\.prompt must have at most 128 tokens, has \d+, special ones and the other text included/);
  const { result, read } = await choose.withReport(long, { overflow: 'truncate' });
  assert.equal(read, [{ index: 0, tokens: 4 * 128, windows: 4, complete: false, readUntil: read[0]!.readUntil }]);
  assert.ok(result.every(({ index, choice }) => choice === input.choices[index]));
  const whole = await choose.withReport(long, { overflow: 'window' });
  assert.ok(whole.read[0]!.complete && whole.read[0]!.windows > 8);
  assert.not.equal(whole.result, result);
});

choices('refuses what is no question', async ({ engine }) => {
  const choose = await pipeline('multiple-choice', await tinyPipeline('byte-level', 'choices'), { engine }) as unknown as (input: unknown) => Promise<unknown>;
  await assertRefuses(() => choose('a'), 'BAD_INPUT', /^input must be an object with prompt, choices, got "a"/);
  await assertRefuses(() => choose([{ prompt: 'a', choices: [] }]), 'BAD_INPUT', /^input\[0\]\.choices must be a list of one choice at least/);
  await assertRefuses(() => choose({ prompt: 'a', choices: ['b', ' '] }), 'BAD_INPUT', /^input\.choices\[1\] must not be blank/);
});

choices.run();

// ---------------------------------------------------------------------------- search

const search = suiteOf('search');

search('finds what an index of the same documents finds', async ({ engine }) => {
  const files = await tinyPipeline('word-piece', null);
  const options = { engine, passages: { maxTokens: 20 } };
  const documents = [{ id: 'fox', text: LONG }, { id: 'note', text: 'A short note.\n\nAnd another paragraph of it.' }];
  await using index = await SearchIndex.create(files, options);
  const added = await index.add(documents);
  await using find = await pipeline('search', files, options);
  assert.is(find.task, 'search');
  const query = 'who reads?';
  const { result, read } = await find.withReport({ query, documents, topK: 3 });
  assert.equal(result, await index.search(query, { topK: 3 }));
  for (const { id, start, end, text } of result) assert.is(documents.find((one) => one.id === id)!.text.slice(start, end), text);
  assert.equal(read, added.map(({ tokens, windows }, i) => ({ index: i, tokens, windows, complete: true })));
  assert.ok(read[0]!.windows > 1);

  // Side by side, each among its own documents.
  const [all, one] = await Promise.all([find({ query, documents, topK: 3 }), find({ query, documents: documents.slice(1) })]);
  assert.equal(all, result);
  assert.equal(new Set(one.map(({ id }) => id)), new Set(['note']));
  assert.equal(await find({ query, documents: [] }), []);
});

search('is kept without a file system: out through a stream, in as a Blob', async ({ engine }) => {
  const source = await tinyPipeline('word-piece', null);
  const options = { engine, passages: { maxTokens: 20 } };
  await using index = await SearchIndex.create(source, options);
  await index.add([{ id: 'fox', text: LONG }]);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  await index.save(new WritableStream<Uint8Array>({ write: (piece) => void pieces.push(piece.slice()) }));
  await using kept = await SearchIndex.load(new Blob(pieces), { engine, source });
  assert.equal(await kept.documents(), await index.documents());
  assert.equal(await kept.search('who reads?'), await index.search('who reads?'));
});

search('goes on after documents that are none, and hears an abort while it waits', async ({ engine }) => {
  await using find = await pipeline('search', await tinyPipeline('word-piece', null), { engine, passages: { maxTokens: 20 } });
  const input = { query: 'who reads?', documents: [{ id: 'a', text: 'a b c' }] };
  const wrong = { ...input, documents: [{ id: 5, text: 'x' }] } as unknown as typeof input;
  await assertRefuses(() => find(wrong), 'BAD_INPUT', /id must be a string, got 5/);
  assert.is((await find(input)).length, 1);

  const order: string[] = [];
  const long = find({ ...input, documents: [{ id: 'long', text: 'a b c. '.repeat(4000) }] }).then(() => order.push('long'));
  const controller = new AbortController();
  const waiting = find(input, { signal: controller.signal }).catch((reason: unknown) => order.push(String(reason)));
  const last = find(input).then(() => order.push('last'));
  controller.abort('enough');
  await Promise.all([long, waiting, last]);
  assert.equal(order, ['enough', 'long', 'last']);
});

search('refuses what is no question', async ({ engine }) => {
  const find = await pipeline('search', await tinyPipeline('word-piece', null), { engine, passages: { maxTokens: 20 } }) as (...args: unknown[]) => Promise<unknown>;
  const documents = [{ id: 'a', text: 'b' }];
  await assertRefuses(() => find('a'), 'BAD_INPUT', /^input must be an object with query, documents, topK/);
  await assertRefuses(() => find({ query: ' ', documents }), 'BAD_INPUT', /^input\.query must not be blank/);
  await assertRefuses(() => find({ query: 'a', documents: 'b' }), 'BAD_INPUT', /^input\.documents must be a list/);
  await assertRefuses(() => find({ query: 'a', documents: [{ id: 'a', text: 7 }] }), 'BAD_INPUT', /documents\[0\]\.text must be a string/);
  await assertRefuses(() => find({ query: 'a', documents, topK: 0 }), 'BAD_INPUT', /^topK must be a whole number from 1/);
  await assertRefuses(() => find({ query: 'a', documents }, { signal: 1 }), 'BAD_INPUT', /^signal/);
});

search.run();
