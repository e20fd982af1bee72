// The head that rates one choice, a sequence of its own, among those of a question.
//
//     logit = classifier(tanh(pooler.dense(hidden_states[0])))
//
// The tokens of the second text are global.

import type { Tensor } from '../tensor.ts';
import { secondTextTokens } from './global-tokens.ts';
import type { Checkpoint, Head } from './head.ts';
import { pooledLogits } from './pooled.ts';

export interface ChoiceOutput {
  /** `[1]` */
  logits: Tensor;
}

export async function loadMultipleChoice({ weights, prefix, config }: Checkpoint): Promise<Head<ChoiceOutput>> {
  const { hidden_size: hidden, sep_token_id } = config;
  const pooler = await weights.linear(`${prefix}pooler.dense`, hidden, hidden);
  const classifier = await weights.linear('classifier', hidden, 1);
  return {
    size: () => 1,
    globalTokens: (inputIds) => secondTextTokens(inputIds, sep_token_id),
    output: async (run, hiddenStates, { start }) => ({ logits: await pooledLogits(run, hiddenStates, start, pooler, classifier, 1) }),
  };
}
