// Rows through a layer as wide as a vocabulary, some at a time: a result of gigabytes must not lie in
// the engine's memory as well, and an abort not wait for all of it.

import type { Run } from '../engine/services.ts';
import type { Tensor } from '../tensor.ts';

/** Elements at a time, 16 MB of them. */
const BLOCK = 2 ** 22;

/** `[rows, vocab]`: what `logitsOf` gives for some rows, `[some rows, vocab]`, for all of them. */
export function logits(run: Run, rows: Uint32Array, vocab: number, logitsOf: (rows: Uint32Array) => Float32Array): Tensor {
  const data = new Float32Array(rows.length * vocab);
  const step = Math.max(1, Math.floor(BLOCK / vocab));
  for (let first = 0; first < rows.length; first += step) {
    run.checkAbort();
    data.set(logitsOf(rows.subarray(first, first + step)), first * vocab);
  }
  return { dims: [rows.length, vocab], data };
}
