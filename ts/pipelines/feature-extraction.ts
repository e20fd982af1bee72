// feature-extraction: vectors of texts, or of all their tokens.
//
// By default as sentence-transformers does with the same checkpoint. A text in windows is pooled over
// all of its tokens, each of which has the vector of its own window; `cls` is the mean of the windows'
// first vectors, each weighted by its tokens.

import { checkBoolean, checkChoice } from '../arguments.ts';
import type { Run } from '../engine/services.ts';
import { read } from '../engine/work.ts';
import { LongformerError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { checkText } from './arguments.ts';
import { readSentenceModules, type Pooling, type SentenceModules } from './sentence-modules.ts';
import type { ReadPart, Task } from './task.ts';
import type { Window } from './windows.ts';

export interface FeatureExtractionOptions {
  /**
   * What stands for a text: the mean of its tokens' vectors, the first token's, the largest of each
   * element, or all of them (`none`). Default: as `1_Pooling/config.json` says, else the mean.
   */
  pooling?: Pooling | 'none';
  /** Whether vectors are divided by their length. Default: whether `modules.json` says so; false with `none`. */
  normalize?: boolean;
}

interface Options {
  pooling: Pooling | 'none' | null;
  normalize: boolean | null;
}

/** A result of more is refused: an array of more may not be had. */
const MAX_RESULT_BYTES = 2 ** 31;

export const featureExtraction: Task<string, Options, Float32Array, Tensor> = {
  architecture: 'LongformerModel',
  overflow: 'error',
  options: {
    pooling: (value, name) => (value === undefined ? null : checkChoice<Pooling | 'none'>(value, name, ['mean', 'cls', 'max', 'none'])),
    normalize: (value, name) => (value === undefined ? null : checkBoolean(value, name)),
  },
  input: checkText,
  async load({ source, config: { hidden_size: hidden } }) {
    const modules = await modulesOrError(source);
    const pooled = ({ pooling, normalize }: Options): { pooling: Pooling | 'none'; normalize: boolean } => {
      if (pooling !== null && (normalize !== null || pooling === 'none')) return { pooling, normalize: normalize ?? false };
      if (modules instanceof LongformerError) throw modules;
      return { pooling: pooling ?? modules.pooling, normalize: normalize ?? modules.normalize };
    };
    return {
      parts: (text, subject) => [{ text, subject }],
      check(inputs, options) {
        const tokens = inputs.flat().reduce((sum, { windows }) => sum + windows.reduce((sum, { own }) => sum + own.end - own.start, 0), 0);
        const bytes = 4 * hidden * (pooled(options).pooling === 'none' ? tokens : inputs.length);
        if (bytes > MAX_RESULT_BYTES) throw new LongformerError('OUT_OF_MEMORY', 'the result', `must have at most ${MAX_RESULT_BYTES} bytes, would have ${bytes}: give fewer texts at a time`);
      },
      output(run, hiddenStates, { start }, { own }, options) {
        const { pooling } = pooled(options);
        const bounds = Uint32Array.of(start + own.start, start + own.end);
        switch (pooling) {
          case 'mean': return hiddenStates.meanOfRanges(bounds);
          case 'max': return hiddenStates.maxOfRanges(bounds);
          case 'cls': return read(run, hiddenStates, start * hidden, new Float32Array(hidden));
          case 'none': return read(run, hiddenStates, (start + own.start) * hidden, new Float32Array((own.end - own.start) * hidden));
        }
      },
      result(_text, [part], options, run) {
        const { pooling, normalize } = pooled(options);
        const data = joined(pooling, part!);
        return { dims: [data.length / hidden, hidden], data: normalize ? normalized(run, data, hidden) : data };
      },
      collect(tensors, single, options) {
        if (pooled(options).pooling === 'none') return single ? tensors[0] : tensors;
        return { dims: [tensors.length, hidden], data: concatenated(tensors.map(({ data }) => data)) };
      },
    };
  },
};

/** What cannot be done by default can still be done where the caller says what is wanted. */
async function modulesOrError(source: Parameters<typeof readSentenceModules>[0]): Promise<SentenceModules | LongformerError> {
  try {
    return await readSentenceModules(source);
  } catch (error) {
    if (error instanceof LongformerError && error.code === 'BAD_FILE') return error;
    throw error;
  }
}

/** The vectors of a text's windows together. */
function joined(pooling: Pooling | 'none', { windows, outputs }: ReadPart<Float32Array>): Float32Array {
  if (outputs.length === 1) return outputs[0]!;
  if (pooling === 'none') return concatenated(outputs);
  const vector = Float32Array.from(outputs[0]!);
  if (pooling === 'max') return vector.map((_, i) => outputs.reduce((most, output) => Math.max(most, output[i]!), -Infinity));
  const tokens = windows.map(({ own }: Window) => own.end - own.start);
  const total = tokens.reduce((sum, count) => sum + count, 0);
  return vector.map((_, i) => outputs.reduce((sum, output, window) => sum + output[i]! * tokens[window]!, 0) / total);
}

function normalized({ wasm }: Run, data: Float32Array, cols: number): Float32Array {
  const vectors = new wasm.UnitVectors(cols, data);
  try {
    return vectors.read();
  } finally {
    vectors.free();
  }
}

function concatenated(arrays: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
