// What a model class adds to the encoder: weights of its own, and what becomes of the last hidden states.

import type { LongformerConfig } from '../config.ts';
import type { Run } from '../engine/services.ts';
import type { HiddenStates } from '../../pkg/threads-simd128/longformer.js';
import type { Weights } from './weights.ts';

/** An open checkpoint. */
export interface Checkpoint {
  /** Names it in errors. */
  readonly label: string;
  readonly config: LongformerConfig;
  readonly weights: Weights;
  /** What comes before the names of the encoder's tensors, e.g. `longformer.`. */
  readonly prefix: string;
  /** The position of a text's first token, see prefix.ts. */
  readonly firstPosition: number;
}

/** One sequence's part of the hidden states of a batch. */
export interface SequenceRows {
  /** The row of its first token. */
  readonly start: number;
  /** Its tokens. */
  readonly length: number;
  /** Rows that results are wanted of, ascending. */
  readonly wanted: Uint32Array;
}

export interface Head<Output> {
  /** Floats in the result of a sequence of `length` tokens, `rows` of which are wanted. */
  size(rows: number, length: number): number;
  /** The global tokens of a sequence where the caller chooses none. Default: there are none. */
  globalTokens?(inputIds: Uint32Array): Uint32Array;
  /** Makes the result of one sequence of the last hidden states. */
  output(run: Run, hiddenStates: HiddenStates, rows: SequenceRows): Output | Promise<Output>;
}
