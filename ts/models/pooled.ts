// BERT's pooler: what stands for a whole sequence, made of the row of its first token.

import type { HiddenStates, Linear } from '../../pkg/threads-simd128/longformer.js';

/** What `use` makes of `tanh(dense(row))`, hidden states of one row. */
export function pooled(hiddenStates: HiddenStates, row: number, dense: Linear, use: (row: HiddenStates) => Float32Array): Float32Array {
  const one = hiddenStates.pooled(row, dense);
  try {
    return use(one);
  } finally {
    one.free();
  }
}

/** Of hidden states of one row, that row. */
export const FIRST_ROW = Uint32Array.of(0);
