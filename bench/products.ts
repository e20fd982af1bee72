// Linear layers by themselves, on any runtime: verified, then timed inside the engine.

import type { Engine } from '../dist/index.js';
import { summaryOf, type Time } from './time.ts';

/** Rows, columns, depth: of the layers of a base model at 512 tokens, and of other numbers of tokens. */
export const SHAPES: readonly (readonly [rows: number, cols: number, depth: number])[] = [
  [512, 768, 768], [512, 3072, 768], [512, 768, 3072], [128, 768, 768], [4096, 3072, 768],
];

const ROUND_MS = 60;
const ROUNDS = 9;

/** Milliseconds of one product. Throws if it is wrong. */
export async function linearProduct(engine: Engine, [rows, cols, depth]: readonly [number, number, number], dtype: 'f32' | 'int8'): Promise<Time> {
  const [x, weight] = [numbers(rows * depth, 1), numbers(cols * depth, 2)];
  const run = (rounds: number, times: number) => engine.call('product', [{ x, weight, inFeatures: depth, dtype, rounds, times }]);
  const { output } = await run(1, 1);
  verify(output, x, weight, [rows, cols, depth], dtype === 'f32' ? 1e-5 : 0.02);
  const { milliseconds: first } = await run(8, 1); // compiled well by then
  const times = Math.max(1, Math.ceil(ROUND_MS / Math.min(...first)));
  const { milliseconds } = await run(ROUNDS, times);
  return summaryOf([...milliseconds].map((each) => each / times));
}

/** In -1..1, the same ones every time. */
export function numbers(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Rows at both ends and in the middle; the largest distance as a share of the length that a row of such numbers has. */
export function verify(output: Float32Array, x: Float32Array, weight: Float32Array, [rows, cols, depth]: readonly [number, number, number], most: number): void {
  const length = Math.sqrt(depth) / 3; // of a sum of `depth` products of two numbers in -1..1
  for (const row of [0, rows >> 1, rows - 1]) {
    for (let col = 0; col < cols; col += 7) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += x[row * depth + k]! * weight[col * depth + k]!;
      const off = Math.abs(output[row * cols + col]! - sum) / length;
      if (!(off <= most * 5)) throw new Error(`the product of row ${row} and column ${col} is off by ${off} of its length`);
    }
  }
}
