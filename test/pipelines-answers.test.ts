// question-answering against transformers.pipeline, and what it refuses.

import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, pipeline, Tokenizer, type Answer, type Engine, type Pipelines, type QuestionAnsweringOptions } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';
import { tinyPipeline, type TinyTokenizer } from './tiny-pipelines.ts';

interface Case {
  tokenizer: TinyTokenizer;
  question: string;
  context: string;
  options: { top_k?: number; max_answer_len?: number; handle_impossible_answer?: boolean; align_to_words?: boolean; doc_stride?: number };
  expected: Answer[];
}

const { cases } = JSON.parse(await readFile(new URL('./fixtures/tiny-pipelines/answers.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Python's names in ours. */
function ours({ options: { top_k, max_answer_len, handle_impossible_answer, align_to_words, doc_stride } }: Case): QuestionAnsweringOptions & { stride?: number } {
  const options = { topK: top_k ?? 1, maxAnswerTokens: max_answer_len, handleImpossible: handle_impossible_answer, alignToWords: align_to_words, stride: doc_stride };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<typeof ours>;
}

const question = 'What does the fox do?';
const context = 'The quick brown fox jumps over the lazy dog, and then it sleeps for an hour in the sun.';

interface Context {
  engine: Engine;
  pipelines: Map<TinyTokenizer, Pipelines['question-answering']>;
  ask: Pipelines['question-answering'];
}

const test = suite<Context>('question-answering');

test.before(async (test) => {
  test.engine = await createEngine({ threads: 1 });
  test.pipelines = new Map();
  for (const tokenizer of ['byte-level', 'word-piece', 'unigram'] as const) {
    test.pipelines.set(tokenizer, await pipeline('question-answering', await tinyPipeline(tokenizer, 'question-answering'), { engine: test.engine }));
  }
  test.ask = test.pipelines.get('byte-level')!;
});

test.after(({ engine }) => engine.dispose());

for (const [i, one] of cases.entries()) {
  test(`${i}: as in transformers, ${one.tokenizer}, ${one.context.slice(0, 20)}, ${JSON.stringify(one.options)}`, async ({ pipelines }) => {
    const answers = await pipelines.get(one.tokenizer)!({ question: one.question, context: one.context }, ours(one) as { topK: number });
    assert.is(answers.length, one.expected.length);
    for (const [rank, answer] of answers.entries()) {
      const expected = one.expected[rank]!;
      assert.ok(Math.abs(answer.score - expected.score) < 2e-5 * Math.max(1, expected.score), `${rank}: score ${answer.score}, expected ${expected.score}`);
      assert.equal({ ...answer, score: 0 }, { ...expected, score: 0 }, `answer ${rank}`);
      assert.is(one.context.slice(answer.start, answer.end), answer.answer);
    }
  });
}

test('one answer, or a list where topK is given', async ({ ask }) => {
  const [best, second] = await ask({ question, context }, { topK: 2 });
  assert.equal(await ask({ question, context }), best!);
  assert.equal(await ask({ question, context, topK: 1 }), [best!]);
  assert.equal(await ask([{ question, context }, { question, context }]), [best!, best!]);
  assert.equal(await ask([{ question, context }], { topK: 2 }), [[best!, second!]]);
});

test('options of an input go before those of the call', async ({ ask }) => {
  const options = { topK: 4, maxAnswerTokens: 2, handleImpossible: true, alignToWords: false };
  assert.equal(await ask({ question, context, ...options }, { topK: 1, maxAnswerTokens: 9 }), await ask({ question, context }, options));
});

test('a context longer than the model is read in windows, and the answer is found in any of them', async ({ ask }) => {
  const long = `${'Nothing is here to see. '.repeat(60)}${context}${' Here neither, not a thing.'.repeat(60)}`;
  const { result, read } = await ask.withReport({ question, context: long }, { topK: 5 });
  assert.ok(read[0]!.windows > 10 && read[0]!.complete);
  for (const { start, end, answer } of result) assert.is(long.slice(start, end), answer);
  assert.is(new Set(result.map(({ answer }) => answer.toLowerCase())).size, 5);
  await assertRefuses(() => ask({ question, context: long }, { overflow: 'error' }), 'BAD_INPUT', /^input\.context must have at most 128 tokens/);
  const cut = await ask.withReport({ question, context: long }, { overflow: 'truncate' });
  assert.ok(cut.result.end <= cut.read[0]!.readUntil!);
});

test('the question is global, whatever separators the texts hold', async ({ ask, engine }) => {
  const files = await tinyPipeline('byte-level', 'question-answering');
  const tokenizer = await Tokenizer.fromPretrained(files);
  const { LongformerForQuestionAnswering } = await import('longformer-wasm');
  await using model = await LongformerForQuestionAnswering.fromPretrained(files, { engine });
  const tagged = `${context}</s> and </s> more`;
  const { inputIds, sequenceIds } = tokenizer.encode(question, { pair: tagged });
  const globalTokens = Array.from({ length: sequenceIds.lastIndexOf(0) + 1 }, (_, i) => i);
  const { startLogits, endLogits } = await model.forward({ inputIds, globalTokens });
  const logitsOf = ({ data }: { data: Float32Array }): number[] => [0, ...sequenceIds.flatMap((id, i) => (id === 1 ? [i] : []))].map((i) => Math.exp(data[i]!));
  const probabilities = [startLogits, endLogits].map(logitsOf).map((scores) => scores.map((score) => score / scores.reduce((sum, x) => sum + x)));
  const impossible = (await ask({ question, context: tagged }, { topK: 300, maxAnswerTokens: 1, handleImpossible: true })).find(({ answer }) => answer === '')!;
  assert.ok(Math.abs(impossible.score - probabilities[0]![0]! * probabilities[1]![0]!) < 1e-6);
});

test('what breaks a rule is refused by name', async ({ ask, engine }) => {
  const any = ask as (...args: unknown[]) => Promise<unknown>;
  await assertRefuses(() => any('text'), 'BAD_INPUT', /^input must be an object with question, context/);
  await assertRefuses(() => any(question, context as never), 'BAD_INPUT', /^input must be an object with question, context.*, got "What does/);
  await assertRefuses(() => any({ question: ' ', context }), 'BAD_INPUT', /^input\.question must not be blank/);
  await assertRefuses(() => any([{ question, context }, { question, context: '' }]), 'BAD_INPUT', /^input\[1\]\.context must not be blank/);
  await assertRefuses(() => any({ question, text: context }), 'BAD_INPUT', /^"text" is no field of input; there are question, context, topK/);
  await assertRefuses(() => any({ question, context, topK: 0 }), 'BAD_INPUT', /^input\.topK must be a whole number from 1/);
  await assertRefuses(() => any({ question, context }, { topK: 1001 }), 'BAD_INPUT', /^topK must be at most 1000, got 1001/);
  await assertRefuses(() => any({ question, context }, { maxAnswerTokens: 0 }), 'BAD_INPUT', /^maxAnswerTokens must be a whole number from 1, got 0/);
  await assertRefuses(() => any({ question, context, maxAnswerTokens: 2.5 }), 'BAD_INPUT', /^input\.maxAnswerTokens must be a whole number/);
  await assertRefuses(() => any({ question, context }, { handleImpossible: 'yes' }), 'BAD_INPUT', /^handleImpossible must be true or false/);
  await assertRefuses(() => any({ question: 'why '.repeat(200), context }), 'BAD_INPUT', /^input\.context must have room in 128 tokens/);
  await assertRefuses(async () => pipeline('question-answering', await tinyPipeline('byte-level', 'tagger'), { engine }), 'NOT_FOUND', /^the tensor qa_outputs\.weight must be in the checkpoint for question-answering/);
});

test('a context without tokens has no answer', async ({ pipelines }) => {
  const ask = pipelines.get('word-piece')!; // whose normalizer takes control characters away
  await assertRefuses(() => ask([{ question, context }, { question, context: '\u0001' }]), 'BAD_INPUT', /^input\[1\]\.context must have a token that could be an answer/);
});

test.run();
