// BERT's pooler: what stands for a whole sequence, made of the row of its first token.

import type { Run } from '../engine/services.ts';
import { through } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import { logits } from './logits.ts';
import type { HiddenStates, Linear } from '../../pkg/threads-simd128/longformer.js';

/** What `use` makes of `tanh(dense(row))`, hidden states of one row. */
export async function pooled(
  hiddenStates: HiddenStates, row: number, dense: Linear, use: (row: HiddenStates) => Promise<Float32Array>,
): Promise<Float32Array> {
  const one = hiddenStates.pooled(row, dense);
  try {
    return await use(one);
  } finally {
    one.free();
  }
}

/** The same through one more layer, of `labels` features: the logits of a head. */
export async function pooledLogits(
  run: Run, hiddenStates: HiddenStates, row: number, dense: Linear, last: Linear, labels: number,
): Promise<Tensor> {
  const data = await pooled(hiddenStates, row, dense, async (one) =>
    (await logits(run, FIRST_ROW, labels, (rows, to) => through(run, (work) => one.linear(work, rows, last, to)))).data);
  return { dims: [labels], data };
}

const FIRST_ROW = Uint32Array.of(0);
