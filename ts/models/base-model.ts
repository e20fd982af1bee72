// The base model: the last hidden states as they are and, where the checkpoint has one, its pooler.

import type { Run } from '../engine/services.ts';
import { read } from '../engine/work.ts';
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
  const output = async (run: Run, hiddenStates: HiddenStates, { start, length, wanted }: SequenceRows): Promise<BaseModelOutput> => {
    const data = new Float32Array(wanted.length * hidden);
    if (wanted.length === length) await read(run, hiddenStates, start * hidden, data);
    else for (const [i, row] of wanted.entries()) hiddenStates.copyTo(row * hidden, data.subarray(i * hidden, (i + 1) * hidden));
    return {
      lastHiddenState: { dims: [wanted.length, hidden], data },
      ...(pooler && { poolerOutput: { dims: [hidden], data: await pooled(hiddenStates, start, pooler, (row) => read(run, row, 0, new Float32Array(hidden))) } }),
    };
  };
  return { size: (rows) => (rows + 1) * hidden, output };
}
