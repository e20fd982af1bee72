// How an index knows the checkpoint that it was made with: by the vectors of a text that is always
// the same. Names and hashes of files say too much (the same weights in another format, or kept as
// halves, will do) or too little (another tokenizer beside them will not).

import type { Run } from '../engine/services.ts';
import { LongformerError } from '../errors.ts';

/** Changing it makes every kept index unreadable. */
export const PROBE = `# The harbour at night

At 23:40 the last ferry had left, and the harbour lay still. Anna counted 17 boats, most of them empty; on the nearest one somebody was
frying fish. "You are late," said the old man without turning around. "The tide does not wait, and neither does the bank."

- He wanted 4,200 kroner for the engine, paid before Friday.
- She had offered half of it, and her brother's van.

Die Werft schließt im Winter. What she did not know yet was that the engine had been sold twice already.`;

/** Cosine between the probe's vectors by the same checkpoint, however its weights are kept: of all-MiniLM-L6-v2 in 8 bits the farthest of 32 mean vectors has 0.9966 (test/dtype.minilm.test.ts). */
const LEAST_COSINE = 0.99;

/** Throws `BAD_FILE` unless `vectors`, `[passages, hiddenSize]`, are those that the index `name` has `kept` of the probe. */
export function refuseOther({ wasm }: Run, name: string, checkpoint: string, hiddenSize: number, vectors: Float32Array, kept: ProbeVectors): void {
  const refuse = (how: string): LongformerError => new LongformerError('BAD_FILE', name,
    `must be used with the checkpoint that it was made with, not with ${checkpoint}: ${how}`);
  if (kept.hiddenSize !== hiddenSize) throw refuse(`its vectors have ${kept.hiddenSize} elements, the checkpoint's ${hiddenSize}`);
  if (kept.data.length !== vectors.length) throw refuse('the tokenizer divides a text in another way');
  // All rows as one vector: the product is the mean of their cosines.
  const [one, other] = [new wasm.UnitVectors(vectors.length, vectors), new wasm.UnitVectors(vectors.length, kept.data)];
  const nearest = new wasm.Nearest(one, 1);
  let cosine: number;
  try {
    nearest.look(other);
    cosine = nearest.scores()[0]!;
  } finally {
    for (const handle of [one, other, nearest]) handle.free();
  }
  if (!(cosine >= LEAST_COSINE)) throw refuse(`the vectors of the same text have a cosine of ${cosine.toFixed(3)}`);
}

/** `[data.length / hiddenSize, hiddenSize]`. */
export interface ProbeVectors {
  readonly hiddenSize: number;
  readonly data: Float32Array<ArrayBuffer>;
}
