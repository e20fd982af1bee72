// Rows of hidden states through a layer as wide as a vocabulary, some at a time: a result of
// gigabytes must not lie in the engine's memory as well, and an abort not wait for all of it.

import type { Run } from '../engine/services.ts';
import type { Tensor } from '../tensor.ts';
import type { HiddenStates, Linear } from '../../pkg/threads-simd128/longformer.js';

/** Elements at a time, 16 MB of them. */
const BLOCK = 2 ** 22;

/** `decoder(row)` of every wanted row, `[rows, vocab]`. */
export function logits(run: Run, hiddenStates: HiddenStates, rows: Uint32Array, decoder: Linear, vocab: number): Tensor {
  const data = new Float32Array(rows.length * vocab);
  const step = Math.max(1, Math.floor(BLOCK / vocab));
  for (let first = 0; first < rows.length; first += step) {
    run.checkAbort();
    data.set(hiddenStates.linear(rows.subarray(first, first + step), decoder), first * vocab);
  }
  return { dims: [rows.length, vocab], data };
}
