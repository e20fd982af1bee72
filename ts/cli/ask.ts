// `longformer-wasm ask`: the answer to a question, where it stands in the documents.

import type { Answer } from '../pipelines/question-answering.ts';
import type { ReadInput } from '../pipelines/windows.ts';
import { command, UsageError } from './command.ts';
import { ABOUT_INPUTS, INPUT_OPTIONS, lineAndColumn, readInputs, type Input } from './inputs.ts';
import { JSON_OPTION, MODEL_OPTIONS } from './model-options.ts';
import { flag, number } from './option.ts';
import { naming, readingOptions, readJson, readReading, sayWhatWasRead, withPipeline } from './pipelines.ts';
import { markedContext } from './marked-context.ts';
import { plural, printable, stylesFor } from './terminal.ts';

export const ask = command({
  name: 'ask',
  summary: 'answers a question from documents, and shows where the answer stands',
  synopsis: '--model MODEL [options] QUESTION [TEXT...]',
  about: `${ABOUT_INPUTS}

MODEL answers questions: it was trained to find where an answer starts and ends. Each document is read for itself; the best answers of all of them are shown. Scores compare answers of one document well, and those of different ones roughly.`,
  options: {
    top: number('N', 'answers to show', { preset: '1' }),
    'max-answer-tokens': number('N', 'tokens of the longest answer', { preset: '15' }),
    'handle-impossible': flag('says so where a document has no answer, for models that were trained on that'),
    ...INPUT_OPTIONS,
    ...readingOptions('window'),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["ask -m ./reader 'Who killed the king?' book.txt", 'the best answer, in the sentence around it'],
    ["ask -m ./reader --top 3 'When does the contract end?' contracts", 'the three best of a folder'],
    ["ask -m ./reader --json 'Who wrote this?' - < book.txt", 'for programs, with the place in the text'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const [question = '', ...rest] = operands;
    if (question.trim() === '') throw new UsageError('QUESTION must be given');
    const inputs = await readInputs(rest, values);
    const { top = 1, 'max-answer-tokens': maxAnswerTokens, 'handle-impossible': handleImpossible } = values;
    await withPipeline('question-answering', values, signal, async (run, { watched, print }) => {
      const options = {
        topK: top, ...(maxAnswerTokens !== undefined && { maxAnswerTokens }), ...(handleImpossible !== undefined && { handleImpossible }),
        ...readReading(values), ...watched,
      };
      const found: Found[] = [];
      for (const input of inputs) {
        const { result, read } = await naming([input], () => run.withReport({ question, context: input.text }, options));
        const report = (Array.isArray(read) ? read : [read])[0] as ReadInput;
        found.push(...[result].flat().map((answer) => ({ input, answer, read: report })));
        print('');
        sayWhatWasRead(input, report);
      }
      const best = found.sort((a, b) => b.answer.score - a.answer.score).slice(0, top);
      if (values.json) print(best.map((one) => `${JSON.stringify(jsonOf(one))}\n`).join(''));
      else print(best.length === 0 ? `no answer in ${plural(inputs.length, 'text')}\n` : best.map(textOf).join('\n'));
    });
  },
});

interface Found {
  input: Input;
  answer: Answer;
  read: ReadInput;
}

function jsonOf({ input, answer, read }: Found): object {
  return { path: input.path, ...lineAndColumn(input.text, answer.start), ...answer, read: readJson(read) };
}

function textOf({ input, answer: { answer, start, end, score } }: Found): string {
  const { bold, dim } = stylesFor(process.stdout);
  if (answer === '') return `${bold(printable(input.path))}  ${dim(score.toFixed(3))}\n    no answer\n`;
  const { line } = lineAndColumn(input.text, start);
  const context = markedContext(input.text, { start, end }, process.stdout);
  return `${bold(printable(`${input.path}:${line}`))}  ${dim(score.toFixed(3))}\n${context.map((part) => `    ${part}\n`).join('')}`;
}
