// Pipelines against transformers.pipeline, on tiny models with sharpened weights.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from 'node:fs/promises';
import { createEngine, pipeline, type Engine, type FilledMask, type Pipelines, type Tensor } from 'longformer-wasm';
import { tinyPipeline, type TinyTokenizer } from './tiny-pipelines.ts';

interface Case {
  tokenizer: TinyTokenizer;
  head: string;
  task: Exclude<keyof Pipelines, 'search'>;
  input: string | { text: string; text_pair: string };
  options: Record<string, unknown>;
  expected: unknown;
}

const { cases } = JSON.parse(await readFile(new URL('./fixtures/tiny-pipelines/cases.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Python's names in ours, at every depth. */
function ours(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(ours);
  const name = (python: string): string => python === 'text_pair' ? 'pair' : python.replace(/_./g, (letters) => letters[1]!.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [name(key), ours(one)]));
}

/** The same names, strings and order, and numbers to 2e-5. */
function assertSame(actual: unknown, expected: unknown, place: string): void {
  if (typeof expected === 'number' && !Number.isInteger(expected)) {
    assert.ok(Math.abs(actual as number - expected) < 2e-5, `${place}: ${String(actual)}, expected ${expected}`);
  } else if (typeof expected === 'object' && expected !== null) {
    assert.equal(Object.keys(actual as object).sort(), Object.keys(expected).sort(), place);
    for (const [key, value] of Object.entries(expected)) assertSame((actual as Record<string, unknown>)[key], value, `${place}.${key}`);
  } else assert.is(actual, expected, place);
}

/** What a task makes of an input, in the form that Python gives it. */
const inPython: { [task: string]: (result: unknown, input: string) => unknown } = {
  // There one list for one mask, and no places.
  'fill-mask'(result, input) {
    const masks = (result as FilledMask[][]).map((mask) => mask.map(({ start, end, ...filled }) => {
      assert.match(input.slice(start, end), /^(<mask>|\[MASK\])$/);
      return filled;
    }));
    return masks.length === 1 ? masks[0] : masks;
  },
  'feature-extraction'(result) {
    const { dims: [rows, cols], data } = result as Tensor;
    return [Array.from({ length: rows! }, (_, row) => Array.from(data.subarray(row * cols!, (row + 1) * cols!)))];
  },
};

const test = suite<{ engine: Engine; pipelines: Map<string, (input: unknown, options: unknown) => Promise<unknown>> }>('pipelines as in transformers');

const keyOf = ({ tokenizer, head, task }: Case): string => `${tokenizer}, ${head}, ${task}`;

test.before(async (context) => {
  context.engine = await createEngine({ threads: 1 });
  context.pipelines = new Map();
  for (const one of cases) {
    if (context.pipelines.has(keyOf(one))) continue;
    const files = await tinyPipeline(one.tokenizer, one.head === 'features' ? null : one.head);
    context.pipelines.set(keyOf(one), await pipeline(one.task, files, { engine: context.engine }) as never);
  }
});

test.after(({ engine }) => engine.dispose());

for (const [i, one] of cases.entries()) {
  test(`${i}: ${keyOf(one)}`, async ({ pipelines }) => {
    const { task, input, options, expected } = one;
    const all = task === 'feature-extraction' ? { ...options, pooling: 'none' } : ours(options);
    const result = await pipelines.get(keyOf(one))!(ours(input), all);
    assertSame(inPython[task]?.(result, input as string) ?? result, ours(expected), JSON.stringify(input));
  });
}

test.run();
