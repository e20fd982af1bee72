// From logits to answers and entities, what comes after the model: question answering and token
// classification over long texts. Answers are verified by the definition: no span may be better.

import { readFile } from 'node:fs/promises';
import { Tokenizer } from '../dist/index.js';
import { questionAnswering } from '../dist/pipelines/question-answering.js';
import type { AnyTask } from '../dist/pipelines/tasks.js';
import { tokenClassification } from '../dist/pipelines/token-classification.js';
import type { TaskFiles } from '../dist/pipelines/task.js';
import { windowsOf, type Window } from '../dist/pipelines/windows.js';
import { Report, time } from './measure.ts';

const LABELS = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC', 'B-ORG', 'I-ORG', 'B-MISC', 'I-MISC'];

const tokenizer = await Tokenizer.fromPretrained(new URL('../test/fixtures/tokenizer/word-piece/', import.meta.url));
const license = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
const files = { tokenizer, source: { label: 'bench' }, config: { json: { id2label: { ...LABELS } } } } as unknown as TaskFiles;
const report = new Report('answers', 'TypeScript');

const question = 'What is a contribution?';
for (const [tokens, topK, maxAnswerTokens] of [[384, 1, 15], [1024, 1, 15], [4096, 1, 15], [16384, 1, 15], [16384, 100, 15], [16384, 1, 16384]] as const) {
  const { context, window } = pairOf(tokens);
  const output = { startLogits: tensor([tokens]), endLogits: tensor([tokens]) };
  const input = { question, context, own: { topK, maxAnswerTokens } };
  const answer = await resultOf(questionAnswering, input, [window], [output], {});
  await measure({ what: 'answer', tokens, topK, maxAnswerTokens }, answer);
  verify(window, output, (answer() as { score: number }[])[0]!.score);
}

for (const aggregation of ['none', 'simple', 'average'] as const) {
  for (const tokens of [4096, 16384, 100_000]) {
    const { text, window } = textOf(tokens);
    const output = { logits: tensor([tokens - 2, LABELS.length]) };
    await measure({ what: 'entities', tokens, aggregation }, await resultOf(tokenClassification, text, [window], [output], { aggregation }));
  }
}
// Texts of 100,000 characters without a space, in windows of 4,096 tokens: tokenizing, and what comes
// after the model. Once, cold, in time of the processor: that of all threads, of the collector's too.
for (const name of ['word-piece', 'byte-level', 'unigram']) {
  const edge = await Tokenizer.fromPretrained(new URL(`../test/fixtures/tokenizer/${name}/`, import.meta.url));
  for (const [text, unit] of [['letters', 'abcdefghijklmnopqrstuvwxyz'], ['the same letter', 'a'], ['emoji', '👋🏽👩‍👩‍👧‍👦🏳️‍🌈😀🚀❤️🇪🇺']] as const) {
    const characters = Array.from(unit);
    const context = Array.from({ length: 100_000 }, (_, i) => characters[i % characters.length]!).join('');
    for (const [task, part, input] of [
      [questionAnswering, { text: question, pair: context, subject: 'context' }, { question, context, own: { topK: 1 } }],
      [tokenClassification, { text: context, subject: 'text' }, context],
    ] as const) {
      const start = processorTime();
      const { windows } = windowsOf(edge, part, { overflow: 'window', maxTokens: 4096, stride: null });
      const tokenized = processorTime();
      const outputs = windows.map(({ inputIds: { length }, sequenceIds, own }) => task === questionAnswering ? { startLogits: tensor([length]), endLogits: tensor([length]) }
        : { logits: tensor([sequenceIds.subarray(own.start, own.end).filter((id) => id === 0).length, LABELS.length]) });
      const work = await resultOf(task, input, windows, outputs, task === questionAnswering ? {} : { aggregation: 'average' }, edge);
      const read = processorTime();
      work();
      report.add({ what: 'edge', task: task === questionAnswering ? 'answer' : 'entities', tokenizer: name, text, windows: windows.length,
        'tokenizing ms': tokenized - start, 'after the model ms': processorTime() - read });
    }
  }
}
await report.keep();

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Memory is what the process's largest has grown by, compiling included. */
async function measure(line: { what: string; [key: string]: string | number }, work: () => unknown): Promise<void> {
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  work();
  const first = performance.now() - start;
  const { best, median } = await time(work);
  report.add({ ...line, 'first ms': first, 'best ms': best, 'median ms': median, 'memory bytes': 1024 * (process.resourceUsage().maxRSS - before) });
}

function pairOf(tokens: number): { context: string; window: Window } {
  const context = license.repeat(Math.ceil(tokens / 2000));
  const { windows } = windowsOf(tokenizer, { text: question, pair: context, subject: 'context' }, { overflow: 'truncate', maxTokens: tokens, stride: null });
  return { context, window: windows[0]! };
}

function textOf(tokens: number): { text: string; window: Window } {
  const text = license.repeat(Math.ceil(tokens / 2000));
  const { windows } = windowsOf(tokenizer, { text, subject: 'text' }, { overflow: 'truncate', maxTokens: tokens, stride: null });
  return { text, window: windows[0]! };
}

/** What a task makes of what the model said of a text's windows. */
async function resultOf(
  task: AnyTask, input: unknown, windows: readonly Window[], outputs: readonly unknown[], given: Record<string, unknown>, own = tokenizer,
): Promise<() => unknown> {
  const runner = await task.load({ ...files, tokenizer: own });
  const options = Object.fromEntries(Object.entries(task.options).map(([name, check]) => [name, (check as (value: unknown, name: string) => unknown)(given[name], name)]));
  return () => (runner.result as (...args: unknown[]) => unknown)(input, [{ windows, outputs }], options);
}

/** Logits from -8 to 8, the same in every run. */
function tensor(dims: number[]): { dims: number[]; data: Float32Array } {
  let state = 1;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return { dims, data: Float32Array.from({ length: dims.reduce((product, dim) => product * dim) }, () => 16 * next() - 8) };
}

/** The best span of at most 15 tokens cannot be more probable than the answer, which has it and perhaps others of the same words. */
function verify({ sequenceIds }: Window, { startLogits, endLogits }: { startLogits: { data: Float32Array }; endLogits: { data: Float32Array } }, score: number): void {
  const first = sequenceIds.indexOf(1);
  const positions = [0, ...Array.from({ length: sequenceIds.lastIndexOf(1) + 1 - first }, (_, i) => first + i)];
  const [start, end] = [startLogits, endLogits].map(({ data }) => {
    const sum = positions.reduce((sum, i) => sum + Math.exp(data[i]!), 0);
    return positions.slice(1).map((i) => Math.exp(data[i]!) / sum);
  }) as [number[], number[]];
  let best = 0;
  for (let i = 0; i < start.length; i++) for (let j = i; j < Math.min(end.length, i + 15); j++) best = Math.max(best, start[i]! * end[j]!);
  if (!(score >= best * 0.999999)) throw new Error(`the best answer must have at least ${best}, has ${score}`);
}
