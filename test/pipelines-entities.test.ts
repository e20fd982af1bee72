// token-classification against transformers.pipeline, and what it refuses.

import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, pipeline, type Aggregation, type Engine, type Entity, type Pipelines } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';
import { tinyPipeline, type TinyTokenizer } from './tiny-pipelines.ts';

interface Case {
  tokenizer: TinyTokenizer;
  text: string;
  aggregation: Aggregation;
  ignoreLabels?: string[];
  stride?: number;
  expected: Entity[];
}

const { cases } = JSON.parse(await readFile(new URL('./fixtures/tiny-pipelines/entities.json', import.meta.url), 'utf8')) as { cases: Case[] };

const test = suite<{ engine: Engine; pipelines: Map<TinyTokenizer, Pipelines['token-classification']>; tag: Pipelines['token-classification'] }>('token-classification');

test.before(async (test) => {
  test.engine = await createEngine({ threads: 1 });
  test.pipelines = new Map();
  for (const tokenizer of ['byte-level', 'word-piece', 'unigram'] as const) {
    test.pipelines.set(tokenizer, await pipeline('token-classification', await tinyPipeline(tokenizer, 'tagger'), { engine: test.engine }));
  }
  test.tag = test.pipelines.get('word-piece')!;
});

test.after(({ engine }) => engine.dispose());

for (const [i, { tokenizer, text, expected, ...options }] of cases.entries()) {
  test(`${i}: as in transformers, ${tokenizer}, ${text.slice(0, 20)}, ${JSON.stringify(options)}`, async ({ pipelines }) => {
    const entities = await pipelines.get(tokenizer)!(text, options);
    assert.equal(entities.map((entity) => ({ ...entity, score: 0 })), expected.map((entity) => ({ ...entity, score: 0 })));
    for (const [rank, { score }] of entities.entries()) {
      assert.ok(Math.abs(score - expected[rank]!.score) < 2e-5, `${rank}: score ${score}, expected ${expected[rank]!.score}`);
    }
  });
}

test('texts in a list have the entities that they have alone', async ({ tag }) => {
  const texts = [cases[0]!.text, cases[5]!.text, 'word'];
  const alone: Entity[][] = [];
  for (const text of texts) alone.push(await tag(text, { aggregation: 'simple' }));
  assert.equal(await tag(texts, { aggregation: 'simple' }), alone);
});

test('a document is read as a whole, and no window cuts a word or has it twice', async ({ tag }) => {
  const words = Array.from({ length: 700 }, (_, i) => ['Sarah', 'antidisestablishment', 'lives', 'in', 'Straßburg', '北京', '👍🏽'][(i * i) % 7]!);
  const text = words.join(' ');
  const { result, read } = await tag.withReport(text, { aggregation: 'first', ignoreLabels: [] });
  assert.ok(read[0]!.windows > 20 && read[0]!.complete);
  // Of all labels the entities are the text, word by word.
  assert.is(result.map(({ start, end }) => text.slice(start, end)).join(' ').replace(/(?<=北) (?=京)/g, ''), text);
  for (const [i, { start }] of result.entries()) assert.ok(i === 0 || start >= result[i - 1]!.end);
});

test('labels without names are LABEL_0 and so on', async ({ engine }) => {
  await using tag = await pipeline('token-classification', await tinyPipeline('word-piece', 'tagger', { id2label: null, num_labels: 7 }), { engine });
  const [first] = await tag('word', { ignoreLabels: [] });
  assert.match(first!.entity, /^LABEL_[0-6]$/);
});

test('what breaks a rule is refused by name', async ({ tag, engine }) => {
  const any = tag as (...args: unknown[]) => Promise<unknown>;
  await assertRefuses(() => any(7), 'BAD_INPUT', /^input must be a string, got 7/);
  await assertRefuses(() => any(['a', ' ']), 'BAD_INPUT', /^input\[1\] must not be blank/);
  await assertRefuses(() => any('a', { aggregation: 'mean' }), 'BAD_INPUT', /^aggregation must be one of none, simple, first, average, max, got "mean"/);
  await assertRefuses(() => any('a', { aggregation_strategy: 'max' }), 'BAD_INPUT', /^"aggregation_strategy" is no option of token-classification/);
  await assertRefuses(() => any('a', { ignoreLabels: 'O' }), 'BAD_INPUT', /^ignoreLabels must be a list of labels, got "O"/);
  await assertRefuses(() => any('a', { ignoreLabels: [0] }), 'BAD_INPUT', /^ignoreLabels must be a list of labels/);
  await assertRefuses(async () => pipeline('token-classification', await tinyPipeline('byte-level', 'question-answering'), { engine }), 'NOT_FOUND', /^the tensor classifier\.weight must be in the checkpoint for token-classification/);
  await assertRefuses(async () => pipeline('token-classification', await tinyPipeline('byte-level', 'tagger', { id2label: { 0: 'O' } }), { engine }), 'BAD_FILE', /classifier\.weight must have the shape/);
});

test.run();
