// Long work in parts: between them an abort is heard, and where it can only come as a message,
// messages come in.

import type { Work } from '../../pkg/threads-simd128/longformer.js';
import type { Run } from './services.ts';

/** Floats that are copied at a time, 4 MB of them. */
const PIECE = 2 ** 20;

/** Has an operation done: calls it again, with the same work, until it says that it is through. */
export async function through(run: Run, operation: (work: Work) => boolean): Promise<void> {
  const work = new run.wasm.Work();
  try {
    while (!operation(work)) await run.pause();
  } finally {
    work.free();
  }
}

/** What holds floats in the engine. */
export interface Held {
  /** Fills `target` with what it holds from `first` on. */
  copyTo(first: number, target: Float32Array): void;
}

/** Copies what a handle holds from `first` on into the whole of `target`, which it returns. */
export async function read(run: Run, held: Held, first: number, target: Float32Array): Promise<Float32Array> {
  for (let at = 0; at < target.length; at += PIECE) {
    await run.pause();
    held.copyTo(first + at, target.subarray(at, at + PIECE));
  }
  return target;
}
