// A linear layer by itself, timed where it runs: what benchmarks measure everything else against.

import type { Dtype } from '../dtype.ts';
import type { Run } from '../engine/services.ts';
import { STORAGES } from './weights.ts';

export interface ProductInput {
  /** `[rows, inFeatures]`. */
  x: Float32Array;
  /** `[outFeatures, inFeatures]`, kept as `dtype`. */
  weight: Float32Array;
  inFeatures: number;
  dtype: Dtype;
  /** How many times it is timed, and how many products are in each of them. */
  rounds: number;
  times: number;
}

/** What came out, `[rows, outFeatures]`, and milliseconds of each round. */
export async function product(
  run: Run, { x, weight, inFeatures, dtype, rounds, times }: ProductInput,
): Promise<{ output: Float32Array; milliseconds: Float64Array }> {
  const { wasm } = run;
  const outFeatures = weight.length / inFeatures;
  const linear = new wasm.Linear(wasm.Storage[STORAGES[dtype]], inFeatures, outFeatures, 1);
  linear.writeWeight(0, wasm.Dtype.F32, new Uint8Array(weight.buffer, weight.byteOffset, weight.byteLength));
  const product = new wasm.LinearProduct(linear, x);
  try {
    const milliseconds = new Float64Array(rounds);
    for (let round = 0; round < rounds; round++) {
      await run.pause();
      const start = performance.now();
      product.run(times);
      milliseconds[round] = performance.now() - start;
    }
    const output = new Float32Array((x.length / inFeatures) * outFeatures);
    product.copyTo(0, output);
    return { output, milliseconds };
  } finally {
    product.free();
  }
}
