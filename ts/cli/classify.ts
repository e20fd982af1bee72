// `longformer-wasm classify`: which labels fit a text.

import type { Classification } from '../pipelines/text-classification.ts';
import { command } from './command.ts';
import { ABOUT_INPUTS, INPUT_OPTIONS, readInputs, type Input } from './inputs.ts';
import { JSON_OPTION, MODEL_OPTIONS } from './model-options.ts';
import { number, text } from './option.ts';
import { batchesOf, naming, readingOptions, readJson, readReading, sayWhatWasRead, withPipeline } from './pipelines.ts';
import { table } from './table.ts';
import { bar, printable, stylesFor } from './terminal.ts';

export const classify = command({
  name: 'classify',
  summary: 'says which labels fit a text',
  synopsis: '--model MODEL [options] [TEXT...]',
  about: ABOUT_INPUTS,
  options: {
    top: number('N', 'labels to show, the best first', { preset: 'all' }),
    pair: text('TEXT', 'a second text for each, for models that were trained on pairs'),
    ...INPUT_OPTIONS,
    ...readingOptions('error'),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["classify -m ./reviews 'What a film!' reviews/*.txt", 'a text and some files, a bar for each label'],
    ['classify -m ./reviews --lines --top 1 --json < reviews.txt', 'each line of standard input, a line of JSON each'],
    ['classify -m ./reviews --overflow window report.md', 'a document longer than the model reads at once'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const inputs = await readInputs(operands, values);
    await withPipeline('text-classification', values, signal, async (run, { watched, print }) => {
      const options = { topK: values.top ?? null, ...readReading(values), ...watched };
      for (const batch of batchesOf(inputs)) {
        const { pair } = values;
        const { result, read } = await naming(batch, () => run.withReport(batch.map(({ text }) => (pair === undefined ? text : { text, pair })), options));
        for (const [i, input] of batch.entries()) {
          print(values.json ? `${JSON.stringify({ path: input.path, labels: result[i]!, read: readJson(read[i]!) })}\n` : textOf(input, result[i]!, inputs.length > 1));
          sayWhatWasRead(input, read[i]!);
        }
      }
    });
  },
});

function textOf(input: Input, labels: readonly Classification[], isOneOfMany: boolean): string {
  const { bold } = stylesFor(process.stdout);
  const areShares = labels.every(({ score }) => score >= 0 && score <= 1); // of a regression they are any numbers
  const rows = labels.map(({ label, score }, i) => [
    i === 0 ? bold(printable(label)) : printable(label), ...(areShares ? [bar(score)] : []), score.toFixed(3),
  ]);
  const lines = table(rows, areShares ? '<<>' : '<>');
  return isOneOfMany ? `${bold(titleOf(input))}\n${lines.map((line) => `  ${line}\n`).join('')}` : `${lines.join('\n')}\n`;
}

/** A text that was given as it is stands for itself. */
export function titleOf({ path, text, isFile }: Input): string {
  const line = printable(text.replace(/\s+/g, ' ').trim());
  return isFile ? printable(path) : line.length > 72 ? `${line.slice(0, 72)}...` : line;
}
