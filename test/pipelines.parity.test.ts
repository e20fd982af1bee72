// Pipelines against transformers.pipeline, on tiny models with sharpened weights.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from 'node:fs/promises';
import { createEngine, pipeline, type Engine, type Pipelines } from 'longformer-wasm';
import { tinyPipeline, type TinyTokenizer } from './tiny-pipelines.ts';

interface Case {
  tokenizer: TinyTokenizer;
  head: string;
  task: 'text-classification';
  input: string | { text: string; text_pair: string };
  options: Record<string, unknown>;
  expected: unknown;
}

const { cases } = JSON.parse(await readFile(new URL('./fixtures/tiny-pipelines/cases.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Python's names in ours. */
const ours = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name.replace(/_./g, (letters) => letters[1]!.toUpperCase()), value]));

/** The same names, strings and order, and numbers to 2e-5. */
function assertSame(actual: unknown, expected: unknown, place: string): void {
  if (typeof expected === 'number' && !Number.isInteger(expected)) {
    assert.ok(Math.abs(actual as number - expected) < 2e-5, `${place}: ${String(actual)}, expected ${expected}`);
  } else if (typeof expected === 'object' && expected !== null) {
    assert.equal(Object.keys(actual as object).sort(), Object.keys(expected).sort(), place);
    for (const [key, value] of Object.entries(expected)) assertSame((actual as Record<string, unknown>)[key], value, `${place}.${key}`);
  } else assert.is(actual, expected, place);
}

const test = suite<{ engine: Engine; pipelines: Map<string, Pipelines[Case['task']]> }>('pipelines as in transformers');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 1 });
  context.pipelines = new Map();
  for (const { tokenizer, head, task } of cases) {
    const key = `${tokenizer} ${head}`;
    if (!context.pipelines.has(key)) context.pipelines.set(key, await pipeline(task, await tinyPipeline(tokenizer, head), { engine: context.engine }));
  }
});

test.after(({ engine }) => engine.dispose());

for (const [i, { tokenizer, head, task, input, options, expected }] of cases.entries()) {
  test(`${i}: ${tokenizer}, ${head}, ${task}`, async ({ pipelines }) => {
    const run = pipelines.get(`${tokenizer} ${head}`)!;
    const given = typeof input === 'string' ? input : { text: input.text, pair: input.text_pair };
    assertSame(await run(given, ours(options)), expected, JSON.stringify(input));
  });
}

test.run();
