// `longformer-wasm tag`: the entities of a text, listed, or painted into it.

import type { Entity } from '../pipelines/entities.ts';
import { command, UsageError } from './command.ts';
import { titleOf } from './classify.ts';
import { ABOUT_INPUTS, INPUT_OPTIONS, lineAndColumn, readInputs, type Input } from './inputs.ts';
import { JSON_OPTION, MODEL_OPTIONS } from './model-options.ts';
import { choice, decimal } from './option.ts';
import { batchesOf, naming, readingOptions, readJson, readReading, sayWhatWasRead, withPipeline } from './pipelines.ts';
import { table } from './table.ts';
import { paintsFor, printable, stylesFor } from './terminal.ts';

export const tag = command({
  name: 'tag',
  summary: 'finds the entities of a text: names, places and what else a model was trained on',
  synopsis: '--model MODEL [options] [TEXT...]',
  about: `${ABOUT_INPUTS}

On a terminal with colours entities are painted into the text, elsewhere they are listed with their lines and columns.`,
  options: {
    show: choice(['inline', 'list'], 'entities in their text, or one line each', { preset: 'inline on a terminal with colours' }),
    aggregation: choice(['none', 'simple', 'first', 'average', 'max'], 'how tokens become entities', { preset: 'simple' }),
    'min-score': decimal('S', 'entities of a lower score are left out', { preset: '0' }),
    ...INPUT_OPTIONS,
    ...readingOptions('window'),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["tag -m ./ner 'Angela Merkel was born in Hamburg.'", 'one sentence'],
    ['tag -m ./ner --show list --min-score 0.9 book.txt | sort | uniq -c', 'those of a whole book that are sure'],
    ['tag -m ./ner --json --aggregation first letters/*.txt', 'for programs, words with the label of their first token'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    if (values.json && values.show !== undefined) throw new UsageError('--show does not go with --json');
    const inputs = await readInputs(operands, values);
    const { aggregation = 'simple', 'min-score': least = 0 } = values;
    const show = values.show ?? (paintsFor(process.stdout) === null ? 'list' : 'inline');
    await withPipeline('token-classification', values, signal, async (run, { watched, print }) => {
      const options = { aggregation, ...readReading(values), ...watched };
      for (const batch of batchesOf(inputs)) {
        const { result, read } = await naming(batch, () => run.withReport(batch.map(({ text }) => text), options));
        for (const [i, input] of batch.entries()) {
          const entities = result[i]!.filter(({ score }) => score >= least);
          if (values.json) print(`${JSON.stringify({ path: input.path, entities, read: readJson(read[i]!) })}\n`);
          else if (show === 'list') print(listOf(input, entities));
          else print(`${inputs.length > 1 ? `${stylesFor(process.stdout).bold(titleOf(input))}\n` : ''}${paintedText(input.text, entities)}\n${inputs.length > 1 ? '\n' : ''}`);
          sayWhatWasRead(input, read[i]!);
        }
      }
    });
  },
});

function listOf({ path, text }: Input, entities: readonly Entity[]): string {
  const { bold, dim } = stylesFor(process.stdout);
  const rows = entities.map(({ entity, score, start, end }) => {
    const { line, column } = lineAndColumn(text, start);
    return [`${printable(path)}:${line}:${column}`, bold(printable(entity)), dim(score.toFixed(3)), printable(text.slice(start, end).replace(/\s+/g, ' '))];
  });
  return table(rows, '<<><').map((line) => `${line}\n`).join('');
}

/** The text with its entities on colours, their labels behind them; in brackets where there are no colours. */
function paintedText(text: string, entities: readonly Entity[]): string {
  const paints = paintsFor(process.stdout);
  const { bold } = stylesFor(process.stdout);
  const kinds = [...new Set(entities.map(({ entity }) => entity))].sort();
  let at = 0;
  let painted = '';
  for (const { entity, start, end } of entities) {
    if (start < at) continue; // an entity inside of one that is shown
    const [word, label] = [printable(text.slice(start, end)), printable(entity)];
    painted += printable(text.slice(at, start));
    painted += paints === null ? `[${word}](${label})` : paints.kind(kinds.indexOf(entity), ` ${word} ${bold(label)}`);
    at = end;
  }
  painted += printable(text.slice(at));
  return painted.trimEnd();
}
