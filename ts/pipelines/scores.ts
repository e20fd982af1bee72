// From logits to scores.

import type { ModelOutput } from '../models/heads.ts';
import type { ReadPart } from './task.ts';

export function softmax(logits: ArrayLike<number>): number[] {
  return Array.from(softmaxInPlace(Float64Array.from(logits)));
}

/** Logits become scores where they are: without a copy of each of many. */
export function softmaxInPlace(values: Float64Array): Float64Array {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i]! - most);
  for (let i = 0; i < values.length; i++) values[i]! /= sum;
  return values;
}

export function sigmoid(logits: ArrayLike<number>): number[] {
  return Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
}

/** The best first, equals in their order; at most `topK`, null for all. */
export function bestOf<T extends { score: number }>(scored: readonly T[], topK: number | null): T[] {
  return [...scored].sort((a, b) => b.score - a.score).slice(0, topK ?? undefined);
}

/** The mean of the windows' logits, each weighted by the tokens of the window's own. */
export function meanLogits({ windows, outputs }: ReadPart<ModelOutput>): number[] {
  const logits = outputs.map((output) => (output as { logits: { data: Float32Array } }).logits.data);
  const weights = windows.map(({ own }) => own.end - own.start);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from(logits[0]!, (_, i) => logits.reduce((sum, data, window) => sum + data[i]! * weights[window]!, 0) / total);
}
