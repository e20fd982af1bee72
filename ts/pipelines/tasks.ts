// The tasks that there are, by the names that Hugging Face gives them.

import type { Task } from './task.ts';
import { textClassification } from './text-classification.ts';

/** A task without its own types: they meet in its file. */
export type AnyTask = Task<any, any, any, any>;

export type TaskName = 'text-classification';

export const tasks: Readonly<Record<TaskName, AnyTask>> = {
  'text-classification': textClassification,
};
