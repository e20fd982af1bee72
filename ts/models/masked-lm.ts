// The head of a masked language model: what stands at each token, as logits over the vocabulary.
//
//     logits = norm(gelu(dense(hidden_states))) · decoder.weightᵀ + decoder.bias
//
// The decoder may be tied: its weights are the word embeddings, its bias is `lm_head.bias`. As in
// Hugging Face, what a checkpoint holds under the decoder's own names comes first.

import { through } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import { loadDecoder } from './decoder.ts';
import type { Checkpoint, Head } from './head.ts';
import { logits } from './logits.ts';

export interface MaskedLMOutput {
  /** `[rows, vocab_size]` */
  logits: Tensor;
}

export async function loadMaskedLM(checkpoint: Checkpoint): Promise<Head<MaskedLMOutput>> {
  const { weights, config } = checkpoint;
  const { hidden_size: hidden, vocab_size: vocab } = config;
  const dense = await weights.linear('lm_head.dense', hidden, hidden);
  const norm = await weights.layerNorm('lm_head.layer_norm', hidden, config.layer_norm_eps);
  const bias = weights.has('lm_head.decoder.bias') ? 'lm_head.decoder.bias' : 'lm_head.bias';
  const decoder = await loadDecoder(checkpoint, 'lm_head.decoder', bias);
  return {
    size: (rows) => rows * vocab,
    output: async (run, hiddenStates, { wanted }) => {
      const transformed = new run.wasm.HiddenStates(hidden);
      try {
        return { logits: await logits(run, wanted, vocab, async (rows, to) => {
          await through(run, (work) => hiddenStates.transform(work, rows, dense, norm, transformed));
          await through(run, (work) => transformed.linear(work, rows.map((_, i) => i), decoder, to));
        }) };
      } finally {
        transformed.free();
      }
    },
  };
}
