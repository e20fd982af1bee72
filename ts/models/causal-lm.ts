// The head of a causal language model: what comes next, as logits over the vocabulary.
//
//     logits = hidden_states · lm_head.weightᵀ (+ lm_head.bias, where there is one)
//
// Without an `lm_head.weight`, the word embeddings stand in for it, unless `tie_word_embeddings` is
// false: Hugging Face's names and rule for GPT-2 and its descendants.

import { LongformerError } from '../errors.ts';
import { through } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import { loadDecoder } from './decoder.ts';
import type { Checkpoint, Head } from './head.ts';
import { logits } from './logits.ts';

export interface CausalLMOutput {
  /** `[rows, vocab_size]`; row i is about the token behind the i-th wanted one. */
  logits: Tensor;
}

export async function loadCausalLM(checkpoint: Checkpoint): Promise<Head<CausalLMOutput>> {
  const { label, weights, config } = checkpoint;
  if (!config.autoregressive) {
    throw new LongformerError('BAD_FILE', `${label}/config.json: autoregressive`, 'must be true for LongformerForCausalLM');
  }
  const decoder = await loadDecoder(checkpoint, 'lm_head', weights.has('lm_head.bias') ? 'lm_head.bias' : null);
  return {
    size: (rows) => rows * config.vocab_size,
    output: async (run, hiddenStates, { wanted }) => ({
      logits: await logits(run, wanted, config.vocab_size, (rows, to) =>
        through(run, (work) => hiddenStates.linear(work, rows, decoder, to))),
    }),
  };
}
