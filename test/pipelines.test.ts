// The frame of the pipelines: inputs, long texts, reports, errors.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, loadModel, pipeline, Tokenizer, type AnyModel, type Classification, type Engine, type Pipelines, type Progress } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';
import { tinyPipeline } from './tiny-pipelines.ts';

const WORDS = 'the quick brown fox jumps over the lazy dog and reads one long book after another ';
const LONG = WORDS.repeat(12).trim();

interface Context {
  engine: Engine;
  classify: Pipelines['text-classification'];
  tokenizer: Tokenizer;
}

const test = suite<Context>('pipelines');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 1 });
  const files = await tinyPipeline('byte-level', 'classifier');
  context.tokenizer = await Tokenizer.fromPretrained(files);
  context.classify = await pipeline('text-classification', files, { engine: context.engine });
});

test.after(({ engine }) => engine.dispose());

test('say what they are', ({ classify, engine }) => {
  assert.is(classify.task, 'text-classification');
  assert.is(classify.engine, engine);
  assert.is(classify.maxTokens, 128);
});

test('a list gives the results of its texts, in order', async ({ classify }) => {
  const texts = ['short', WORDS, 'another short one', WORDS.repeat(3), 'x'];
  const alone: Classification[][] = [];
  for (const text of texts) alone.push(await classify(text, { topK: null }));
  for (const maxBatchTokens of [1, 50, 16384]) assert.equal(await classify(texts, { topK: null, maxBatchTokens }), alone);
  assert.equal(await classify([]), []);
});

test('a text that is too long is refused, cut, or read in windows, and the report says so', async ({ classify, tokenizer }) => {
  const tokens = tokenizer.encode(LONG).inputIds.length;
  await assertRefuses(() => classify(LONG), 'BAD_INPUT', /^input must have at most 128 tokens, has \d+, special ones included: overflow: 'window'/);
  await assertRefuses(() => classify(['short', LONG]), 'BAD_INPUT', /^input\[1\] must have at most 128/);

  const cut = await classify.withReport(['short', LONG], { overflow: 'truncate' });
  const { readUntil } = cut.read[1]!;
  assert.equal(cut.read, [
    { index: 0, tokens: tokenizer.encode('short').inputIds.length, windows: 1, complete: true },
    { index: 1, tokens: 128, windows: 1, complete: false, readUntil },
  ]);
  assert.is(tokenizer.encode(LONG.slice(0, readUntil)).inputIds.length, 128);
  assert.equal(cut.result[1], await classify(LONG.slice(0, readUntil)));

  const all = await classify.withReport(LONG, { overflow: 'window' });
  assert.equal(all.read, [{ index: 0, tokens, windows: all.read[0]!.windows, complete: true }]);
  assert.is(all.read[0]!.windows, Math.ceil((tokens - 2 - 15) / (126 - 15))); // a stride of an eighth of 126
});

test('windows have the mean of their logits, weighted by the tokens of their own', async ({ engine, tokenizer, classify }) => {
  await using model = await loadModel(await tinyPipeline('byte-level', 'classifier'), { engine }) as Extract<AnyModel, { forward(...args: never): Promise<{ logits: unknown }> }>;
  const windows = tokenizer.encodeWindows(LONG, { maxLength: 60, stride: 9 });
  const weights = windows.map(({ inputIds: { length } }, i) =>
    length - (i === 0 ? 0 : 1 + 4) - (i === windows.length - 1 ? 0 : 1 + 5)); // a special token and its half of the 9
  assert.is(weights.reduce((sum, weight) => sum + weight), tokenizer.encode(LONG).inputIds.length);
  const sums = [0, 0, 0, 0];
  for (const [i, { inputIds }] of windows.entries()) {
    const { logits: { data } } = await model.forward({ inputIds }) as { logits: { data: Float32Array } };
    for (const label of sums.keys()) sums[label]! += data[label]! * weights[i]!;
  }
  const names = ['Sachbuch', 'Роман', '诗', 'play 🎭'];
  const found = await classify(LONG, { overflow: 'window', maxTokens: 60, stride: 9, functionToApply: 'none', topK: null });
  for (const { label, score } of found) {
    const expected = sums[names.indexOf(label)]! / tokenizer.encode(LONG).inputIds.length;
    assert.ok(Math.abs(score - expected) < 1e-5, `${label}: ${score}, expected ${expected}`);
  }
});

test('what breaks a rule is refused by name', async ({ classify, engine }) => {
  const any = classify as (...args: unknown[]) => Promise<unknown>;
  await assertRefuses(() => any(), 'BAD_INPUT', /^input must be a string, got undefined/);
  await assertRefuses(() => any(['a', 7]), 'BAD_INPUT', /^input\[1\] must be a string, got 7/);
  await assertRefuses(() => any(['a', ' \n']), 'BAD_INPUT', /^input\[1\] must not be blank/);
  await assertRefuses(() => any({ text: 'a' }), 'BAD_INPUT', /^input\.pair must be a string/);
  await assertRefuses(() => any({ text: 'a', text_pair: 'b' }), 'BAD_INPUT', /^"text_pair" is no field of input; there are text, pair/);
  await assertRefuses(() => any('a', { top_k: 1 }), 'BAD_INPUT', /^"top_k" is no option of text-classification; there are topK, functionToApply, overflow/);
  await assertRefuses(() => any('a', { topK: 0 }), 'BAD_INPUT', /^topK must be a whole number from 1/);
  await assertRefuses(() => any('a', { functionToApply: 'tanh' }), 'BAD_INPUT', /^functionToApply must be one of softmax, sigmoid, none/);
  await assertRefuses(() => any('a', { overflow: 'cut' }), 'BAD_INPUT', /^overflow must be one of error, truncate, window/);
  await assertRefuses(() => any('a', { maxTokens: 129 }), 'BAD_INPUT', /^maxTokens must be at most the 128/);
  await assertRefuses(() => any('a', { maxTokens: 2, overflow: 'window' }), 'BAD_INPUT', /^input must have room in 2 tokens, special ones take 2/);
  await assertRefuses(() => any('a', { maxTokens: 9, stride: 7, overflow: 'window' }), 'BAD_INPUT', /^stride must be below the 7 tokens/);
  await assertRefuses(() => any('a', { maxBatchTokens: 0 }), 'BAD_INPUT', /^maxBatchTokens/);
  await assertRefuses(() => any('a', { onProgress: 1 }), 'BAD_INPUT', /^onProgress/);
  const files = await tinyPipeline('byte-level', 'classifier');
  await assertRefuses(() => pipeline('zero-shot-classification' as 'text-classification', files), 'BAD_INPUT', /^task must be one of .*text-classification.*, got "zero-shot-classification"/);
  await assertRefuses(() => pipeline('toString' as 'text-classification', files), 'BAD_INPUT', /^task must be one of/);
  const broken = (config: object): Promise<unknown> => tinyPipeline('byte-level', 'classifier', { ...config }).then((files) => pipeline('text-classification', files, { engine }));
  await assertRefuses(() => broken({ id2label: { 0: 'a', 1: 'b', 2: 'c', 4: 'd' } }), 'BAD_FILE', /id2label must name the label 3 of 4/);
  await assertRefuses(() => broken({ id2label: { 0: 'a', 1: 'b', 2: 3, 3: 'd' } }), 'BAD_FILE', /id2label must name the label 2 of 4, has 3/);
  await assertRefuses(() => broken({ problem_type: 'ranking' }), 'BAD_FILE', /problem_type must be regression/);
  await assertRefuses(async () => pipeline('text-classification', await tinyPipeline('byte-level', null), { engine }), 'NOT_FOUND',
    /^the tensor classifier.dense.weight must be in the checkpoint for text-classification, is not: .* must hold a LongformerForSequenceClassification/);
  await assertRefuses(async () => pipeline('text-classification', await tinyPipeline('byte-level', 'classifier', {}, { 'tokenizer.json': null }), { engine }), 'NOT_FOUND', /tokenizer/);
});

test('have the other names that transformers.js has', async ({ engine }) => {
  const classify = await pipeline('sentiment-analysis', await tinyPipeline('byte-level', 'classifier'), { engine });
  const tag = await pipeline('ner', await tinyPipeline('byte-level', 'tagger'), { engine });
  assert.equal([classify.task, tag.task], ['text-classification', 'token-classification']);
  assert.is((await classify('one text', { topK: null })).length, 4);
  assert.ok((await tag('one text', { ignoreLabels: [] })).length > 0);
  for (const run of [classify, tag]) await run.dispose();
});

test('tell how far they are', async ({ classify }) => {
  const heard: Progress[] = [];
  await classify(['one text', WORDS], { onProgress: (progress) => heard.push(progress), maxBatchTokens: 20 });
  for (const [stage, unit] of [['tokenize', 'bytes'], ['forward', 'tokens']] as const) {
    const own = heard.filter((progress) => progress.stage === stage);
    assert.ok(own.length > 1 && own.every((progress) => progress.unit === unit), stage);
    assert.ok(own.every(({ done }, i) => i === 0 || done >= own[i - 1]!.done), stage);
    assert.is(own.at(-1)!.done, own.at(-1)!.total, stage);
  }
});

test('end with an abort, and work on', async ({ classify }) => {
  const controller = new AbortController();
  const call = classify(Array<string>(200).fill(WORDS), { signal: controller.signal, maxBatchTokens: 50, onProgress: () => controller.abort(new Error('enough')) });
  await call.then(() => assert.unreachable(), (error: Error) => assert.is(error.message, 'enough'));
  assert.is((await classify('short')).length, 1);
});

test('give their memory back', async ({ engine }) => {
  const files = await tinyPipeline('byte-level', 'classifier');
  const kept = await pipeline('text-classification', files, { engine });
  await kept.dispose();
  await assertRefuses(() => kept('a'), 'BAD_INPUT', /^the pipeline was disposed/);
  await kept.dispose();
  const memory: number[] = [];
  for (let i = 0; i < 60; i++) {
    const again = await pipeline('text-classification', files, { engine });
    await again('a');
    await again.dispose();
    memory.push(engine.info.memoryBytes);
  }
  assert.is(memory[59], memory[9]);
  let own: Engine;
  {
    await using alone = await pipeline('text-classification', files, { threads: 1 });
    own = alone.engine;
    await alone('a');
  }
  await assertRefuses(() => own.attention({ query: new Float32Array(1), key: new Float32Array(1), value: new Float32Array(1), seqLen: 1, numHeads: 1, headDim: 1, oneSidedWindow: 1 }), 'ENGINE_DEAD');
});

test.run();
