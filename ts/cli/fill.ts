// `longformer-wasm fill`: what could stand where a text has a mask.

import type { FilledMask } from '../pipelines/fill-mask.ts';
import { titleOf } from './classify.ts';
import { command } from './command.ts';
import { ABOUT_INPUTS, INPUT_OPTIONS, lineAndColumn, readInputs, type Input } from './inputs.ts';
import { JSON_OPTION, MODEL_OPTIONS } from './model-options.ts';
import { number, texts } from './option.ts';
import { batchesOf, naming, readingOptions, readJson, readReading, sayWhatWasRead, withPipeline } from './pipelines.ts';
import { table } from './table.ts';
import { bar, printable, stylesFor } from './terminal.ts';

export const fill = command({
  name: 'fill',
  summary: 'says what could stand where a text has a mask',
  synopsis: '--model MODEL [options] [TEXT...]',
  about: `${ABOUT_INPUTS}

The mask is that of the model's tokenizer: <mask> of most Longformers, [MASK] of those that were a BERT.`,
  options: {
    top: number('N', 'tokens to show for each mask', { preset: '5' }),
    target: texts('TOKEN', 'only this one'),
    ...INPUT_OPTIONS,
    ...readingOptions('error'),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["fill -m allenai/longformer-base-4096 'The capital of France is <mask>.'", 'the five likeliest tokens'],
    ["fill -m allenai/longformer-base-4096 --target ' he' --target ' she' 'The nurse said that <mask> was late.'", 'one or the other'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const inputs = await readInputs(operands, values);
    await withPipeline('fill-mask', values, signal, async (run, { watched, print }) => {
      const options = {
        ...(values.top !== undefined && { topK: values.top }), ...(values.target !== undefined && { targets: values.target }),
        ...readReading(values), ...watched,
      };
      for (const batch of batchesOf(inputs)) {
        const { result, read } = await naming(batch, () => run.withReport(batch.map(({ text }) => text), options));
        for (const [i, input] of batch.entries()) {
          print(values.json ? `${JSON.stringify({ path: input.path, masks: result[i]!, read: readJson(read[i]!) })}\n` : textOf(input, result[i]!, inputs.length > 1));
          sayWhatWasRead(input, read[i]!);
        }
      }
    });
  },
});

function textOf(input: Input, masks: readonly (readonly FilledMask[])[], isOneOfMany: boolean): string {
  const { bold, dim } = stylesFor(process.stdout);
  const parts = masks.map((candidates, i) => {
    const place = candidates.length === 0 ? null : lineAndColumn(input.text, candidates[0]!.start);
    const title = masks.length === 1 || place === null ? [] : [dim(`mask ${i + 1}, line ${place.line}, column ${place.column}`)];
    const rows = candidates.map(({ tokenStr, score }, rank) => [rank === 0 ? bold(shown(tokenStr)) : shown(tokenStr), bar(score), score.toFixed(3)]);
    return [...title, ...table(rows, '<<>')].map((line) => `${isOneOfMany ? '  ' : ''}${line}\n`).join('');
  });
  return `${isOneOfMany ? `${bold(titleOf(input))}\n` : ''}${parts.join('')}`;
}

/** White space alone would not be seen. */
function shown(token: string): string {
  const word = printable(token).trim();
  return word === '' ? JSON.stringify(token) : word;
}
