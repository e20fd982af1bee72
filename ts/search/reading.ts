// Reading: sequences go through the layers, and means of their tokens' vectors (or the largest of each
// element) come out.

import type { LayerBand } from '../config.ts';
import type { Run } from '../engine/services.ts';
import { groupByTokens, startsOf } from '../models/groups.ts';
import type { EncoderInput, Longformer } from '../models/longformer.ts';

/** A sequence and the vectors wanted of it: one for each range of its tokens. */
export interface Reading extends EncoderInput {
  /** Starts and ends of the ranges, alternating. */
  readonly bounds: readonly number[];
  /** Where the vectors go, `[vectors, hidden_size]`, from `firstVector` on. */
  readonly vectors: Float32Array;
  readonly firstVector: number;
  /** What is being read, for progress. */
  readonly name: string;
}

/** Tokens that go through the layers together: enough for every core, and a progress bar that moves. */
const BATCH_TOKENS = 4096;

/** How the vectors of a range become one. */
export type RangePooling = 'mean' | 'max';

/** Reads all of them. `onTokens` hears how many tokens are done. */
export async function readAll(
  run: Run, model: Longformer, readings: readonly Reading[], bands: readonly LayerBand[], pooling: RangePooling,
  onTokens: (done: number, name: string) => void,
): Promise<void> {
  let done = 0;
  for (const group of groupByTokens(readings, BATCH_TOKENS)) {
    const tokens = countTokens(group);
    const { name } = group[0]!;
    const hiddenStates = await model.forward(run, group, bands, (layer) => {
      onTokens(done + Math.floor(tokens * layer / model.config.num_hidden_layers), name);
    });
    try {
      const starts = startsOf(group);
      const bounds = Uint32Array.from(group.flatMap(({ bounds }, i) => bounds.map((row) => starts[i]! + row)));
      const pooled = pooling === 'max' ? hiddenStates.maxOfRanges(bounds) : hiddenStates.meanOfRanges(bounds);
      handOut(group, pooled, model.config.hidden_size);
    } finally {
      hiddenStates.free();
    }
    done += tokens;
  }
}

export function countTokens(readings: readonly Reading[]): number {
  return readings.reduce((tokens, { inputIds }) => tokens + inputIds.length, 0);
}

function handOut(group: readonly Reading[], pooled: Float32Array, hidden: number): void {
  let next = 0;
  for (const { bounds, vectors, firstVector } of group) {
    const end = next + bounds.length / 2 * hidden;
    vectors.set(pooled.subarray(next, end), firstVector * hidden);
    next = end;
  }
}
