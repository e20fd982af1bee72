// The head that classifies a whole sequence, by its first token, which is global.
//
//     logits = out_proj(tanh(dense(hidden_states[0])))
//
// Whether labels exclude one another, or are numbers to be taken as they are (regression), is a
// question for whoever reads the logits.

import type { Tensor } from '../tensor.ts';
import { firstToken } from './global-tokens.ts';
import type { Checkpoint, Head } from './head.ts';
import { labelCount } from './labels.ts';
import { pooledLogits } from './pooled.ts';

export interface SequenceClassificationOutput {
  /** `[num_labels]` */
  logits: Tensor;
}

export async function loadSequenceClassification(checkpoint: Checkpoint): Promise<Head<SequenceClassificationOutput>> {
  const { weights, config: { hidden_size: hidden } } = checkpoint;
  const labels = labelCount(checkpoint);
  const dense = await weights.linear('classifier.dense', hidden, hidden);
  const outProj = await weights.linear('classifier.out_proj', hidden, labels);
  return {
    size: () => labels,
    globalTokens: firstToken,
    output: async (run, hiddenStates, { start }) => ({ logits: await pooledLogits(run, hiddenStates, start, dense, outProj, labels) }),
  };
}
