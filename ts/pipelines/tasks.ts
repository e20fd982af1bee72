// The tasks that there are, by the names that Hugging Face gives them.

import { featureExtraction } from './feature-extraction.ts';
import { fillMask } from './fill-mask.ts';
import { multipleChoice } from './multiple-choice.ts';
import { questionAnswering } from './question-answering.ts';
import type { Task } from './task.ts';
import { textClassification } from './text-classification.ts';
import { tokenClassification } from './token-classification.ts';

/** A task without its own types: they meet in its file. */
export type AnyTask = Task<any, any, any, any>;

export type TaskName = 'feature-extraction' | 'fill-mask' | 'multiple-choice' | 'question-answering' | 'text-classification' | 'token-classification';

export const tasks: Readonly<Record<TaskName, AnyTask>> = {
  'feature-extraction': featureExtraction,
  'fill-mask': fillMask,
  'multiple-choice': multipleChoice,
  'question-answering': questionAnswering,
  'text-classification': textClassification,
  'token-classification': tokenClassification,
};

/** Other names of the same, as transformers.js has them. */
export const aliases: Readonly<Record<string, TaskName>> = { 'sentiment-analysis': 'text-classification', ner: 'token-classification' };
