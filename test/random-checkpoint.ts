// Checkpoints of random numbers, of any size: for what does not depend on the numbers but on how many
// there are, and needs them to tell one token from another.

import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '../dist/files/safetensors-writer.js';
import { generator } from './definition.ts';
import { encoderShapes, type Sizes } from './zeros.ts';

/** Numbers that tensors are cut from, each at a place of its own. */
const BLOCK = 2 ** 20;

/** Writes config.json and model.safetensors. */
export async function writeRandom(folder: string, sizes: Sizes): Promise<void> {
  const random = generator(1);
  const block = Float32Array.from({ length: BLOCK }, () => random() * 0.05);
  const ones = new Float32Array(sizes.hidden_size).fill(1);
  const config = { model_type: 'longformer', architectures: ['LongformerModel'], type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1 };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...sizes }));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  const tensors = encoderShapes(sizes).map(([name, shape], i) => ({
    name, dtype: 'F32' as const, shape,
    *chunks(): Generator<Uint8Array> {
      if (name.endsWith('LayerNorm.weight')) return void (yield bytesOf(ones));
      let left = shape.reduce((a, b) => a * b, 1);
      for (let from = i * 4099 % BLOCK; left > 0; from = 0) {
        const part = block.subarray(from, Math.min(BLOCK, from + left));
        left -= part.length;
        yield bytesOf(part);
      }
    },
  }));
  for await (const part of writeSafetensors(tensors)) await file.write(part);
  await file.close();
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
