// A few rows of attention from its definition, in double precision, to hold a result against.

import type { AttentionInput } from '../attention.ts';

/** The largest error of the context in the rows of some tokens. Without masks; dilation 1. */
export function largestError(input: AttentionInput, context: Float32Array, rows: readonly number[]): number {
  const { query, key, value, seqLen, numHeads, headDim, oneSidedWindow } = input;
  const globals = Array.from(input.globalTokens ?? []);
  let largest = 0;
  for (const row of rows) {
    const keys = Array.from({ length: seqLen }, (_, j) => j)
      .filter((j) => Math.abs(j - row) <= oneSidedWindow || globals.includes(j) || globals.includes(row));
    for (let head = 0; head < numHeads; head++) {
      const at = (token: number): number => (token * numHeads + head) * headDim;
      const scores = keys.map((j) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += query[at(row) + d]! * key[at(j) + d]!;
        return dot / Math.sqrt(headDim);
      });
      const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      const weights = scores.map((score) => Math.exp(score - most));
      const sum = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < headDim; d++) {
        const exact = keys.reduce((total, j, n) => total + weights[n]! * value[at(j) + d]!, 0) / sum;
        largest = Math.max(largest, Math.abs(context[at(row) + d]! - exact)); // which keeps NaN
      }
    }
  }
  return largest;
}
