// `longformer-wasm plan`: what texts of some lengths would take, before anything runs.

import { loadModel } from '../longformer-models.ts';
import type { Plan } from '../plan.ts';
import { command } from './command.ts';
import { JSON_OPTION, MODEL_OPTIONS, readModel } from './model-options.ts';
import { number, numbers } from './option.ts';
import { deviceOf, withEngine } from './session.ts';
import { table } from './table.ts';
import { count, memory, printable, stylesFor } from './terminal.ts';

/** The shortest length of the table, where none are given; the others are its doubles. */
const SHORTEST = 512;

const MOST_MEMORY = 2 ** 32;

export const plan = command({
  name: 'plan',
  summary: 'says what memory and work texts of some lengths would take',
  synopsis: '--model MODEL [options]',
  about: `The model is loaded, nothing runs. Memory is that of WebAssembly at the highest point, weights included; work counts multiplications and additions of all matrix products.`,
  options: {
    tokens: numbers('N', 'lengths, separated by commas', { preset: '512 and its doubles, up to the model\'s positions' }),
    batch: number('N', 'texts of that length at once', { preset: '1' }),
    global: number('N', 'global tokens of each', { least: 0, preset: "those that the model's class chooses" }),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ['plan -m allenai/longformer-base-4096', 'a table of lengths'],
    ['plan -m ./minilm-long --dtype int8 --tokens 4096,8192 --batch 4', 'for four texts at once, weights in 8 bits'],
  ],
  operands: 'none',
  async run({ values, signal }) {
    const { model: name, load } = readModel(values);
    const { batch = 1, global: globalTokens } = values;
    await withEngine(values, signal, async ({ engine, watched, print }) => {
      const model = await loadModel(name, { ...load, engine, ...watched });
      const rows = (values.tokens ?? lengthsUpTo(model.maxTokens)).map((tokens): Row => {
        const fields = { tokens, batch, ...(globalTokens !== undefined && { globalTokens }) };
        return { ...fields, ...model.plan(fields) };
      });
      if (values.json) {
        print(rows.map((row) => `${JSON.stringify({ model: name, dtype: values.dtype ?? 'f32', ...row })}\n`).join(''));
        return;
      }
      const { bold, dim } = stylesFor(process.stdout);
      const most = values['max-memory'] ?? MOST_MEMORY;
      const lines = table([
        ['tokens', 'memory', 'work', 'per token', ''],
        ...rows.map(({ tokens, peakBytes, flops }) =>
          [count(tokens), memory(peakBytes), work(flops), work(flops / (tokens * batch)), peakBytes > most ? `more than ${memory(most)}` : '']),
      ], '>>>>');
      print([
        bold(printable(`${name}: ${model.constructor.name}, weights ${memory(rows[0]!.weightBytes)} as ${values.dtype ?? 'f32'}${batch === 1 ? '' : `, ${count(batch)} texts at once`}`)),
        '', dim(lines[0]!), ...lines.slice(1), '', dim(deviceOf(engine.info)), '',
      ].join('\n'));
    });
  },
});

interface Row extends Plan {
  tokens: number;
  batch: number;
  globalTokens?: number;
}

function lengthsUpTo(most: number): number[] {
  const lengths: number[] = [];
  for (let tokens = SHORTEST; tokens < most; tokens *= 2) lengths.push(tokens);
  return [...lengths, most];
}

function work(flops: number): string {
  const [unit, name] = ([[1e12, 'TFLOP'], [1e9, 'GFLOP'], [1e6, 'MFLOP']] as const).find(([unit]) => flops >= unit) ?? [1e3, 'kFLOP'];
  return `${Number((flops / unit).toPrecision(3))} ${name}`;
}
