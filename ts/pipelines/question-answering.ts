// question-answering: the part of a text that answers a question.
//
// As in Hugging Face: where an answer starts and where it ends are two probabilities for each token,
// softmax over the text and the first token, which stands for "no answer"; a span has their product.
// Spans grow to whole words, equal answers count together, and those of all windows compete.

import { checkBoolean, checkCount } from '../arguments.ts';
import type { QuestionAnsweringOutput } from '../models/question-answering.ts';
import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { checkFields, checkText } from './arguments.ts';
import { softmaxInPlace } from './scores.ts';
import { bestSpans } from './spans.ts';
import type { ReadPart, Task } from './task.ts';
import type { Window } from './windows.ts';

export interface QuestionAnsweringOptions {
  /** How many answers are wanted, 1 to 1000: a list of them, the best first. Without it the best answer alone. */
  topK?: number;
  /** Tokens of the longest answer. Default 15. */
  maxAnswerTokens?: number;
  /** Whether "no answer", an empty one, is among the answers. Default false. */
  handleImpossible?: boolean;
  /** Whether answers grow to whole words, as the tokenizer cuts them. Default true. */
  alignToWords?: boolean;
}

/** A question and the text that answers it. Options here go before those of the call. */
export interface QuestionAnsweringInput extends QuestionAnsweringOptions {
  question: string;
  context: string;
}

/** `answer` is `context.slice(start, end)`; empty, with 0 and 0, where there is none. */
export interface Answer {
  answer: string;
  start: number;
  end: number;
  /** The probability of all its spans; of what stands in two windows that of both, which may exceed 1. */
  score: number;
}

type Options = Required<Omit<QuestionAnsweringOptions, 'topK'>> & {
  /** null: the best alone. */
  topK: number | null;
};

interface Input {
  question: string;
  context: string;
  /** Those of the input itself. */
  own: Partial<Options>;
}

/** More are no answers: the ranking of all spans. */
const MAX_TOP_K = 1000;

const options = {
  topK: (value: unknown, name: string): number | null => {
    if (value === undefined) return null;
    if (checkCount(value, name) <= MAX_TOP_K) return value as number;
    throw new LongformerError('BAD_INPUT', name, `must be at most ${MAX_TOP_K}, got ${quoted(value)}`);
  },
  maxAnswerTokens: (value: unknown, name: string): number => (value === undefined ? 15 : checkCount(value, name)),
  handleImpossible: (value: unknown, name: string): boolean => (value === undefined ? false : checkBoolean(value, name)),
  alignToWords: (value: unknown, name: string): boolean => (value === undefined ? true : checkBoolean(value, name)),
};

export const questionAnswering: Task<Input, Options, QuestionAnsweringOutput, Answer | Answer[]> = {
  architecture: 'LongformerForQuestionAnswering',
  overflow: 'window',
  options,
  input(value, subject) {
    const fields = checkFields(value, subject, ['question', 'context'], Object.keys(options));
    const given = Object.entries(options).filter(([name]) => fields[name] !== undefined);
    return {
      question: checkText(fields['question'], `${subject}.question`),
      context: checkText(fields['context'], `${subject}.context`),
      own: Object.fromEntries(given.map(([name, check]) => [name, check(fields[name], `${subject}.${name}`)])),
    };
  },
  load({ tokenizer }) {
    return {
      parts: ({ question, context }, subject) => [{ text: question, pair: context, subject: `${subject}.context` }],
      // As the head chooses them, but not by separators, which a text may hold too.
      globalTokens: ({ sequenceIds }) => Uint32Array.from({ length: Math.max(1, sequenceIds.lastIndexOf(0) + 1) }, (_, position) => position),
      check(inputs) {
        for (const { windows, subject } of inputs.flat()) {
          if (windows.some(({ sequenceIds, starts, ends }) => sequenceIds.some((id, i) => id === 1 && starts[i]! < ends[i]!))) continue;
          throw new LongformerError('BAD_INPUT', subject, 'must have a token that could be an answer, has none');
        }
      },
      result({ context, own }, [part], given) {
        const wanted = { ...given, ...own };
        const answers = answersOf(context, part!, wanted, tokenizer);
        return wanted.topK === null ? answers[0]! : answers;
      },
    };
  },
};

function answersOf(context: string, { windows, outputs }: ReadPart<QuestionAnsweringOutput>, wanted: Options, tokenizer: Tokenizer): Answer[] {
  const { maxAnswerTokens, handleImpossible, alignToWords } = wanted;
  const topK = wanted.topK ?? 1;
  const count = alignToWords ? 2 * topK + 10 : topK; // some become the same words
  const answers = new Map<string, Answer>(); // by their text, in small letters
  let impossible = Infinity;
  for (const [i, window] of windows.entries()) {
    const { start, end, none } = probabilities(window, outputs[i]!, tokenizer);
    impossible = Math.min(impossible, none);
    const first = window.sequenceIds.indexOf(1);
    for (const span of bestSpans(start, end, maxAnswerTokens, count)) {
      const [from, to] = placeOf(window, first + span.first, first + span.last, alignToWords);
      const answer = context.slice(from, to);
      const key = answer.toLowerCase();
      const known = answers.get(key);
      if (known === undefined) answers.set(key, { answer, start: from, end: to, score: span.score });
      else known.score += span.score;
    }
  }
  const all = [...answers.values()];
  if (handleImpossible) all.push({ answer: '', start: 0, end: 0, score: impossible });
  return all.sort((a, b) => b.score - a.score).slice(0, topK);
}

/** How probable each token of the text is as the start and as the end of an answer, and that there is none. */
function probabilities(
  { inputIds, sequenceIds, starts, ends }: Window, { startLogits, endLogits }: QuestionAnsweringOutput, { specialTokens: { cls } }: Tokenizer,
): { start: Float64Array; end: Float64Array; none: number } {
  const stop = sequenceIds.lastIndexOf(1) + 1;
  const first = stop === 0 ? 0 : sequenceIds.indexOf(1);
  const standsForNone = sequenceIds[0] === -1 && inputIds[0] === cls?.id;
  const start = softmaxOver(startLogits.data, first, stop, standsForNone);
  const end = softmaxOver(endLogits.data, first, stop, standsForNone);
  // A token of a space that offsets leave out is no word to start or end with.
  for (let i = first; i < stop; i++) if (starts[i] === ends[i]) start[1 + i - first] = end[1 + i - first] = 0;
  return { start: start.subarray(1), end: end.subarray(1), none: standsForNone ? start[0]! * end[0]! : 0 };
}

/** Over the tokens from `first` to `stop`; in front of them what the first token of all has, if that takes part. */
function softmaxOver(logits: Float32Array, first: number, stop: number, withFirstOfAll: boolean): Float64Array {
  const scores = new Float64Array(1 + stop - first);
  scores[0] = withFirstOfAll ? logits[0]! : -Infinity;
  scores.set(logits.subarray(first, stop), 1);
  return softmaxInPlace(scores);
}

/** Where a span of tokens stands in the text, in UTF-16 units. */
function placeOf({ starts, ends, wordIds, sequenceIds }: Window, first: number, last: number, alignToWords: boolean): [start: number, end: number] {
  const sameWord = (a: number, b: number): boolean => sequenceIds[b] === 1 && wordIds[a] === wordIds[b];
  if (alignToWords) {
    while (sameWord(first, first - 1)) first--;
    while (sameWord(last, last + 1)) last++;
  }
  return [starts[first]!, ends[last]!];
}
