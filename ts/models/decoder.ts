// The layer that turns hidden states into logits over the vocabulary, which may be tied.

import type { Linear } from '../../pkg/threads-simd128/longformer.js';
import type { Checkpoint } from './head.ts';

/**
 * `name.weight`, `[vocab_size, hidden_size]`; without it the word embeddings stand in, unless
 * `tie_word_embeddings` is false. `bias`: the whole name of that tensor, null for none.
 */
export async function loadDecoder({ weights, prefix, config }: Checkpoint, name: string, bias: string | null): Promise<Linear> {
  const tied = !weights.has(`${name}.weight`) && config.json['tie_word_embeddings'] !== false;
  return weights.decoder(`${tied ? `${prefix}embeddings.word_embeddings` : name}.weight`, bias, config.hidden_size, config.vocab_size);
}
