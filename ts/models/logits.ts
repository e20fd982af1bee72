// Rows through a layer as wide as a vocabulary, some at a time: a result of gigabytes must not lie in
// the engine's memory as well, and an abort not wait for all of it.

import type { Run } from '../engine/services.ts';
import { read } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import type { HiddenStates } from '../../pkg/threads-simd128/longformer.js';

/** Elements at a time, 16 MB of them. */
const BLOCK = 2 ** 22;

/** `[rows, vocab]`: what `fill` makes of some rows, `[some rows, vocab]`, for all of them. */
export async function logits(
  run: Run, rows: Uint32Array, vocab: number, fill: (rows: Uint32Array, output: HiddenStates) => Promise<void>,
): Promise<Tensor> {
  const data = new Float32Array(rows.length * vocab);
  const step = Math.max(1, Math.floor(BLOCK / vocab));
  const output = new run.wasm.HiddenStates(1);
  try {
    for (let first = 0; first < rows.length; first += step) {
      const some = rows.subarray(first, first + step);
      await fill(some, output);
      await read(run, output, 0, data.subarray(first * vocab, (first + step) * vocab));
    }
  } finally {
    output.free();
  }
  return { dims: [rows.length, vocab], data };
}
