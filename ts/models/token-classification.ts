// The head that classifies each token: `logits = classifier(hidden_states)`.

import { through } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import type { Checkpoint, Head } from './head.ts';
import { labelCount } from './labels.ts';
import { logits } from './logits.ts';

export interface TokenClassificationOutput {
  /** `[rows, num_labels]` */
  logits: Tensor;
}

export async function loadTokenClassification(checkpoint: Checkpoint): Promise<Head<TokenClassificationOutput>> {
  const labels = labelCount(checkpoint);
  const classifier = await checkpoint.weights.linear('classifier', checkpoint.config.hidden_size, labels);
  return {
    size: (rows) => rows * labels,
    output: async (run, hiddenStates, { wanted }) => ({
      logits: await logits(run, wanted, labels, (rows, to) =>
        through(run, (work) => hiddenStates.linear(work, rows, classifier, to))),
    }),
  };
}
