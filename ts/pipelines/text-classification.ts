// text-classification: which labels fit a text, or what number (regression).
//
// Scores are as in Hugging Face: softmax over labels that exclude one another, sigmoid for those that
// do not (`problem_type: "multi_label_classification"`) and for a single one, the bare logits of a
// regression. A text in windows has the mean of their logits, each weighted by its tokens.

import { checkChoice } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import type { ModelOutput } from '../models/heads.ts';
import { quoted } from '../quoted.ts';
import { checkFields, checkText, topKOf } from './arguments.ts';
import { labelsOf } from './labels.ts';
import { bestOf, meanLogits, sigmoid, softmax } from './scores.ts';
import type { Task } from './task.ts';

/** A text, or a pair of texts for models that were trained on pairs; of a long pair the second is cut. */
export type ClassificationInput = string | { text: string; pair: string };

export interface TextClassificationOptions {
  /** How many labels are wanted, the best first; null: all. Default 1. */
  topK?: number | null;
  /** How logits become scores. Default: what `problem_type` in config.json and the number of labels say. */
  functionToApply?: 'softmax' | 'sigmoid' | 'none';
}

export interface Classification {
  /** As `id2label` in config.json names it. */
  label: string;
  score: number;
}

const FUNCTIONS = { softmax, sigmoid, none: (logits: readonly number[]) => logits };

interface Options {
  topK: number | null;
  functionToApply: keyof typeof FUNCTIONS | null;
}

export const textClassification: Task<ClassificationInput, Options, ModelOutput, Classification[]> = {
  architecture: 'LongformerForSequenceClassification',
  overflow: 'error',
  options: {
    topK: topKOf(1),
    functionToApply: (value, name) => (value === undefined ? null : checkChoice(value, name, Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[])),
  },
  input(value, subject) {
    if (typeof value !== 'object') return checkText(value, subject);
    const { text, pair } = checkFields(value, subject, ['text', 'pair']);
    return { text: checkText(text, `${subject}.text`), pair: checkText(pair, `${subject}.pair`) };
  },
  load(files) {
    const labels = labelsOf(files);
    const usual = usualFunction(files.config.json['problem_type'] ?? null, labels.length, files.source.label);
    return {
      parts: (input, subject) => [typeof input === 'string' ? { text: input, subject } : { ...input, subject: `${subject}.pair` }],
      result(_input, [part], { topK, functionToApply }) {
        const scores = FUNCTIONS[functionToApply ?? usual](meanLogits(part!));
        return bestOf(labels.map((label, i) => ({ label, score: scores[i]! })), topK);
      },
    };
  },
};

function usualFunction(problemType: unknown, labels: number, label: string): keyof typeof FUNCTIONS {
  switch (problemType) {
    case 'regression': return 'none';
    case 'multi_label_classification': return 'sigmoid';
    case 'single_label_classification': return labels === 1 ? 'sigmoid' : 'softmax';
    case null: return labels === 1 ? 'sigmoid' : 'softmax';
    default: throw new LongformerError('BAD_FILE', `${label}/config.json: problem_type`,
      `must be regression, single_label_classification or multi_label_classification, got ${quoted(problemType)}`);
  }
}
