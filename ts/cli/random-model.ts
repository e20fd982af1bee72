// A model with the shape of longformer-base and random weights, for timing: the numbers mean nothing,
// there are as many of them, and nothing has to be fetched.

import type { FileSource } from '../files/source.ts';
import { writeSafetensors, type TensorToWrite } from '../files/safetensors-writer.ts';

/** Of longformer-base-4096, except for the vocabulary, which costs memory and no time. */
export const SHAPE = {
  num_hidden_layers: 12, hidden_size: 768, num_attention_heads: 12, intermediate_size: 3072,
  attention_window: 512, max_position_embeddings: 16_386, vocab_size: 1024, type_vocab_size: 1,
  layer_norm_eps: 1e-5, pad_token_id: 1,
} as const;

/** Sizes of that kind. */
export type RandomShape = { readonly [Name in keyof typeof SHAPE]: number };

type Shape = readonly [name: string, shape: readonly number[]];

/** Its files. Weights are halves, so that they take half the room; in the engine they are what `dtype` says. */
export async function randomModel(sizes: RandomShape = SHAPE): Promise<FileSource> {
  const parts: Blob[] = [];
  const pieces = halves(2 ** 20);
  const tensors = shapes(sizes).map(([name, shape]): TensorToWrite => ({ name, dtype: 'F16', shape, chunks: () => pieces(shape.reduce((a, b) => a * b, 1)) }));
  for await (const part of writeSafetensors(tensors)) parts.push(new Blob([part as Uint8Array<ArrayBuffer>]));
  const files: Readonly<Record<string, Blob>> = {
    'config.json': new Blob([JSON.stringify({ model_type: 'longformer', architectures: ['LongformerModel'], ...sizes })]),
    'model.safetensors': new Blob(parts),
  };
  return { open: async (name) => files[name] ?? null };
}

function shapes({ hidden_size: hidden, intermediate_size: inner, ...sizes }: RandomShape): Shape[] {
  const norm = (name: string): Shape[] => [[`${name}.weight`, [hidden]], [`${name}.bias`, [hidden]]];
  const linear = (name: string, from: number, to: number): Shape[] => [[`${name}.weight`, [to, from]], [`${name}.bias`, [to]]];
  const layer = (at: string): Shape[] => [
    ...['query', 'key', 'value', 'query_global', 'key_global', 'value_global'].flatMap((name) => linear(`${at}.attention.self.${name}`, hidden, hidden)),
    ...linear(`${at}.attention.output.dense`, hidden, hidden), ...norm(`${at}.attention.output.LayerNorm`),
    ...linear(`${at}.intermediate.dense`, hidden, inner), ...linear(`${at}.output.dense`, inner, hidden), ...norm(`${at}.output.LayerNorm`),
  ];
  return [
    ['embeddings.word_embeddings.weight', [sizes.vocab_size, hidden]],
    ['embeddings.position_embeddings.weight', [sizes.max_position_embeddings, hidden]],
    ['embeddings.token_type_embeddings.weight', [sizes.type_vocab_size, hidden]],
    ...norm('embeddings.LayerNorm'),
    ...Array.from({ length: sizes.num_hidden_layers }, (_, i) => layer(`encoder.layer.${i}`)).flat(),
  ];
}

/** Random halves of a magnitude near 1/64, the same ones every time: a buffer of `size`, given again from another place for each tensor. */
function halves(size: number): (count: number) => Iterable<Uint8Array> {
  let state = 1;
  const bits = Uint16Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) & 0x8000) | 0x2000 | ((state >>> 8) & 0x07ff); // sign, exponent 8 or 9, mantissa
  });
  let place = 0;
  return function* pieces(count) {
    place = (place + 104_729) % (size >> 1);
    for (let left = count, at = place; left > 0; at = 0) {
      const piece = bits.subarray(at, at + left);
      left -= piece.length;
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  };
}
