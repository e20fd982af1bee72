// The models that are timed: their sizes and what they read. Their weights are random, as time does not
// depend on them.

import type { Sizes } from '../test/zeros.ts';

export type ShapeName = 'base' | 'minilm';

export const SHAPES: Record<ShapeName, Sizes> = {
  base: {
    vocab_size: 50_265, hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072, attention_window: 512,
    max_position_embeddings: 16_386,
  },
  minilm: {
    vocab_size: 30_522, hidden_size: 384, num_hidden_layers: 6, num_attention_heads: 12, intermediate_size: 1536, attention_window: 512,
    max_position_embeddings: 16_386,
  },
};

/** The same in bench/peers.py. */
export const idsOf = (tokens: number): Uint32Array => Uint32Array.from({ length: tokens }, (_, i) => 3 + (i * i * 7 + i) % 30_000);
