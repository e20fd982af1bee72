// The base model: the last hidden states as they are and, where the checkpoint has one, its pooler.

import type { Run } from '../engine/services.ts';
import type { Tensor } from '../tensor.ts';
import type { HiddenStates } from '../../pkg/threads-simd128/longformer.js';
import type { Checkpoint, Head, SequenceRows } from './head.ts';
import { pooled } from './pooled.ts';

export interface BaseModelOutput {
  /** `[rows, hidden_size]` */
  lastHiddenState: Tensor;
  /** `[hidden_size]`, where the checkpoint has a pooler: `tanh(dense(row of the first token))`. */
  poolerOutput?: Tensor;
}

export async function loadBaseModel({ weights, prefix, config }: Checkpoint): Promise<Head<BaseModelOutput>> {
  const hidden = config.hidden_size;
  const pooler = weights.has(`${prefix}pooler.dense.weight`) ? await weights.linear(`${prefix}pooler.dense`, hidden, hidden) : null;
  const output = (_run: Run, hiddenStates: HiddenStates, { start, length, wanted }: SequenceRows): BaseModelOutput => {
    let data: Float32Array;
    if (wanted.length === length) data = hiddenStates.read(start, length);
    else {
      data = new Float32Array(wanted.length * hidden);
      for (const [i, row] of wanted.entries()) data.set(hiddenStates.read(row, 1), i * hidden);
    }
    return {
      lastHiddenState: { dims: [wanted.length, hidden], data },
      ...(pooler && { poolerOutput: { dims: [hidden], data: pooled(hiddenStates, start, pooler, (row) => row.read(0, 1)) } }),
    };
  };
  return { size: (rows) => (rows + 1) * hidden, output };
}
