// Checkpoints of zeros: their numbers do not matter, their sizes do.

import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '../dist/files/safetensors-writer.js';

/** The sizes in a config.json. */
export interface Sizes {
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  attention_window: number;
  max_position_embeddings: number;
}

type Shapes = [name: string, shape: number[]][];

const linear = (name: string, inFeatures: number, outFeatures: number): Shapes =>
  [[`${name}.weight`, [outFeatures, inFeatures]], [`${name}.bias`, [outFeatures]]];

const norm = (name: string, cols: number): Shapes => [[`${name}.weight`, [cols]], [`${name}.bias`, [cols]]];

/** The tensors of the heads that are wider than a row. */
export const headShapes = {
  maskedLM: ({ hidden_size: hidden, vocab_size }: Sizes): Shapes =>
    [...linear('lm_head.dense', hidden, hidden), ...norm('lm_head.layer_norm', hidden), ['lm_head.bias', [vocab_size]]],
  tokenClassification: ({ hidden_size: hidden }: Sizes): Shapes => linear('classifier', hidden, 2),
};

/** The tensors of an encoder without a pooler. */
export function encoderShapes({ vocab_size, hidden_size: hidden, intermediate_size: inner, max_position_embeddings, num_hidden_layers }: Sizes): Shapes {
  const layer = (prefix: string): Shapes => [
    ...['query', 'key', 'value', 'query_global', 'key_global', 'value_global']
      .flatMap((name) => linear(`${prefix}.attention.self.${name}`, hidden, hidden)),
    ...linear(`${prefix}.attention.output.dense`, hidden, hidden), ...norm(`${prefix}.attention.output.LayerNorm`, hidden),
    ...linear(`${prefix}.intermediate.dense`, hidden, inner), ...linear(`${prefix}.output.dense`, inner, hidden),
    ...norm(`${prefix}.output.LayerNorm`, hidden),
  ];
  return [
    ['embeddings.word_embeddings.weight', [vocab_size, hidden]],
    ['embeddings.position_embeddings.weight', [max_position_embeddings, hidden]],
    ['embeddings.token_type_embeddings.weight', [1, hidden]],
    ...norm('embeddings.LayerNorm', hidden),
    ...Array.from({ length: num_hidden_layers }, (_, i) => layer(`encoder.layer.${i}`)).flat(),
  ];
}

/** Bytes of an element of a matrix as the engine keeps it. */
const ELEMENT = { f32: 4, f16: 2, int8: 1 } as const;

/** What the engine keeps of all tensors of an encoder, and of the largest. */
export function keptBytes(sizes: Sizes, dtype: keyof typeof ELEMENT): { bytes: number; largest: number } {
  const kept = encoderShapes(sizes).map(([, shape]) => {
    return shape.reduce((a, b) => a * b, 1) * (shape.length === 1 ? 4 : ELEMENT[dtype]);
  });
  return { bytes: kept.reduce((a, b) => a + b, 0), largest: Math.max(...kept) };
}

/** Writes config.json and model.safetensors. */
export async function writeZeros(folder: string, sizes: Sizes, head: Shapes = []): Promise<void> {
  const config = {
    model_type: 'longformer', architectures: ['LongformerModel'], hidden_act: 'gelu', type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...sizes }));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  const zeros = new Uint8Array(2 ** 20);
  const tensors = [...encoderShapes(sizes), ...head].map(([name, shape]) => {
    const size = 4 * shape.reduce((a, b) => a * b, 1);
    return {
      name, dtype: 'F32' as const, shape,
      async *chunks() { for (let at = 0; at < size; at += zeros.length) yield zeros.subarray(0, Math.min(zeros.length, size - at)); },
    };
  });
  for await (const part of writeSafetensors(tensors)) await file.write(part);
  await file.close();
}
