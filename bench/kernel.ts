// The crate without an engine around it: one thread, this one, so that nothing but the kernel is timed.

import { readFile } from 'node:fs/promises';
import { generator } from '../test/definition.ts';
import { chooseBuild } from '../dist/engine/builds.js';
import { loadGlue, type Wasm } from '../dist/engine/glue.js';

export const HEADS = 12;
export const HEAD_DIM = 64;
export const HIDDEN_SIZE = HEADS * HEAD_DIM;

export const { build } = chooseBuild({ simd: 'auto', threads: 1 });
const module = new WebAssembly.Module(new Uint8Array(await readFile(build.wasm as URL)));
const instantiate = await loadGlue(false);

/** An instance of its own, whose memory has seen nothing yet: it never shrinks. */
export function instance(): { wasm: Wasm; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: 20, maximum: 65536 });
  return { wasm: instantiate(module, memory), memory };
}

/** Does an operation that nobody interrupts. */
export function done(wasm: Wasm, operation: (work: InstanceType<Wasm['Work']>) => boolean): void {
  const work = new wasm.Work();
  operation(work);
  work.free();
}

/** Queries, keys and values, `[tokens, HEADS, HEAD_DIM]` each. */
export function holding(wasm: Wasm, query: Float32Array, key: Float32Array, value: Float32Array): InstanceType<Wasm['Vectors']> {
  const vectors = new wasm.Vectors(HEADS, HEAD_DIM);
  done(wasm, (work) => vectors.write(work, query, key, value));
  return vectors;
}

export interface Input {
  vectors: InstanceType<Wasm['Vectors']>;
  /** Made once: like the layers of a model, rounds share its memory. */
  context: InstanceType<Wasm['Context']>;
  seqLen: number;
  oneSidedWindow: number;
  dilations: readonly number[];
  globals: readonly number[];
}

export function attention(wasm: Wasm, { vectors, context, seqLen, oneSidedWindow, dilations, globals }: Input): void {
  const pattern = new wasm.Pattern(oneSidedWindow, Uint32Array.from(dilations), false);
  const batch = new wasm.Batch();
  batch.push(seqLen, Uint32Array.from(globals), new Uint32Array());
  try {
    done(wasm, (work) => vectors.attend(work, vectors, batch, pattern, context));
  } finally {
    pattern.free();
    batch.free();
  }
}

/** `[rows, hidden size]` of numbers in -1..1; from some thousand rows on they come again. */
export function random(rows: number, seed: number): Float32Array {
  const data = new Float32Array(rows * HIDDEN_SIZE);
  const once = Math.min(data.length, 4099 * HIDDEN_SIZE);
  data.set(Float32Array.from({ length: once }, generator(seed)));
  for (let filled = once; filled < data.length; filled *= 2) data.copyWithin(filled, 0, Math.min(filled, data.length - filled));
  return data;
}
