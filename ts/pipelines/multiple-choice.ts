// multiple-choice: which choice fits a prompt. Each choice is read behind the prompt, and the scores of
// all of them are a softmax over their logits. Of a long prompt and a choice, the prompt is cut; in
// windows, each choice has the mean of its windows' logits, weighted by their tokens.

import { LongformerError } from '../errors.ts';
import type { ModelOutput } from '../models/heads.ts';
import { quoted } from '../quoted.ts';
import { checkFields, checkText, topKOf } from './arguments.ts';
import { bestOf, meanLogits, softmax } from './scores.ts';
import type { Task } from './task.ts';

export interface MultipleChoiceInput {
  prompt: string;
  choices: readonly string[];
}

export interface MultipleChoiceOptions {
  /** How many choices are wanted, the best first; null: all. Default null. */
  topK?: number | null;
}

export interface RatedChoice {
  choice: string;
  /** Its place among the choices. */
  index: number;
  /** Of all choices 1 together. */
  score: number;
}

export const multipleChoice: Task<MultipleChoiceInput, { topK: number | null }, ModelOutput, RatedChoice[]> = {
  architecture: 'LongformerForMultipleChoice',
  overflow: 'error',
  options: { topK: (value, name) => (value === undefined ? null : topKOf(1)(value, name)) },
  input(value, subject) {
    const { prompt, choices } = checkFields(value, subject, ['prompt', 'choices']);
    if (!Array.isArray(choices) || choices.length === 0) throw new LongformerError('BAD_INPUT', `${subject}.choices`, `must be a list of one choice at least, got ${quoted(choices)}`);
    return { prompt: checkText(prompt, `${subject}.prompt`), choices: choices.map((choice, i) => checkText(choice, `${subject}.choices[${i}]`)) };
  },
  load: () => ({
    parts: ({ prompt, choices }, subject) => choices.map((choice) => ({ text: prompt, pair: choice, cut: 'first', subject: `${subject}.prompt` })),
    // As the head chooses them by separators, of which a text may hold others.
    globalTokens: ({ sequenceIds: { length }, sequenceIds }) => {
      const first = sequenceIds.indexOf(1);
      return Uint32Array.from({ length: length - first }, (_, i) => first + i);
    },
    result({ choices }, parts, { topK }) {
      const scores = softmax(parts.map((part) => meanLogits(part)[0]!));
      return bestOf(choices.map((choice, index) => ({ choice, index, score: scores[index]! })), topK);
    },
  }),
};
