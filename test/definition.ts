// What attention means, slowly and in float64, and vectors to try it on.

import type { AttentionInput } from 'longformer-wasm';

/** A small generator of numbers in -1..1, the same ones every time. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export interface Pattern {
  oneSidedWindow: number;
  dilation: number[];
  causal: boolean;
  globalTokens: number[];
  masked: number[];
}

/** What attention means (longformer.md section 0, and `causal` as the interface has it). */
export function definition(input: AttentionInput, { oneSidedWindow, dilation, causal, globalTokens, masked }: Pattern): Float64Array {
  const { seqLen, numHeads, headDim } = input;
  const context = new Float64Array(seqLen * numHeads * headDim);
  const globals = globalTokens.filter((token) => !masked.includes(token));
  for (let head = 0; head < numHeads; head++) {
    for (let i = 0; i < seqLen; i++) {
      if (masked.includes(i)) continue;
      const isGlobal = globals.includes(i);
      const [query, key, value] = isGlobal
        ? [input.queryGlobal ?? input.query, input.keyGlobal ?? input.key, input.valueGlobal ?? input.value]
        : [input.query, input.key, input.value];
      const at = (tensor: Float32Array, token: number, d: number): number => tensor[(token * numHeads + head) * headDim + d]!;
      const visible = Array.from({ length: seqLen }, (_, j) => j).filter((j) => {
        const steps = (j - i) / dilation[head]!;
        const inBand = Number.isInteger(steps) && Math.abs(steps) <= oneSidedWindow;
        return !masked.includes(j) && !(causal && j > i) && (isGlobal || inBand || globals.includes(j));
      });
      const scores = visible.map((j) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += at(query, i, d) * at(key, j, d);
        return dot / Math.sqrt(headDim);
      });
      const max = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - max));
      const sum = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < headDim; d++) {
        const weighted = visible.reduce((total, j, n) => total + weights[n]! * at(value, j, d), 0);
        context[(i * numHeads + head) * headDim + d] = weighted / sum;
      }
    }
  }
  return context;
}

export function vectors(seqLen: number, numHeads: number, headDim: number, seed: number, separate: boolean): AttentionInput {
  const random = generator(seed);
  // Queries up to 8 spread the scores, so that no softmax is near uniform.
  const tensor = (scale = 1): Float32Array => Float32Array.from({ length: seqLen * numHeads * headDim }, () => random() * scale);
  return {
    query: tensor(8), key: tensor(), value: tensor(), seqLen, numHeads, headDim, oneSidedWindow: 0,
    ...(separate && { queryGlobal: tensor(8), keyGlobal: tensor(), valueGlobal: tensor() }),
  };
}
