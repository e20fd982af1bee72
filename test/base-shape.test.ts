// A model of longformer-base's shape over 4,096 tokens, against Hugging Face's. Its weights are made
// here as test/fixtures/base_shape.py makes them, where the numbers are explained.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LongformerModel, type FileSource } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { writeSafetensors } from '../dist/files/safetensors-writer.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import { assertClose, largestDifference } from './close.ts';
import { encoderShapes, type Sizes } from './zeros.ts';

interface Case {
  sizes: Sizes;
  tokens: number;
  globalTokens: number[];
  rows: number[];
  float32ErrorOfRows: number;
  checksums: Record<string, string>;
}

const folder = new URL('./fixtures/base-shape/', import.meta.url);
const { cases: [given] } = JSON.parse(await readFile(new URL('expected.json', folder), 'utf8')) as { cases: [Case] };
const { sizes, tokens, globalTokens, rows, float32ErrorOfRows, checksums } = given;

const test = suite('the shape of longformer-base');

test('4,096 tokens as in transformers', async () => {
  const stored = await openSafetensors((await (await openSource(folder)).open('expected.safetensors'))!);
  const expected = new Float32Array((await stored.read('lastHiddenState')).buffer);
  await stored.close();
  const inputIds = Uint32Array.from({ length: tokens }, (_, i) => 3 + (hash(i ^ seedOf('input_ids')) >>> 0) % (sizes.vocab_size - 3));
  const source = await files();
  await using model = await LongformerModel.fromPretrained(source);
  const { lastHiddenState: { data } } = await model.forward({ inputIds, globalTokens }, { positions: rows });
  console.log(`  off float64 by ${largestDifference(data, expected).toExponential(1)}, transformers in float32 by ${float32ErrorOfRows.toExponential(1)}`);
  assertClose(data, expected, 1e-3, 'lastHiddenState');

  const made = Object.fromEntries(await Promise.all(encoderShapes(sizes).filter(([name]) => name in checksums)
    .map(async ([name, shape]) => [name, sha256(hashed(name, shape))])));
  assert.equal({ ...made, input_ids: sha256(inputIds) }, checksums);
});

test.run();

// ---------------------------------------------------------------------------- the checkpoint

/** Each tensor goes into a Blob when it is made: the files lie outside of the heap, once. */
async function files(): Promise<FileSource> {
  const tensors = encoderShapes(sizes).map(([name, shape]) =>
    ({ name, dtype: 'F32' as const, shape, chunks: () => [new Uint8Array(hashed(name, shape).buffer)] }));
  const parts: Blob[] = [];
  for await (const part of writeSafetensors(tensors)) parts.push(new Blob([part as Uint8Array<ArrayBuffer>]));
  const byName: Record<string, Blob> = {
    'config.json': new Blob([JSON.stringify({ ...sizes, type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1 })]),
    'model.safetensors': new Blob(parts),
  };
  return { open: async (name) => byName[name] ?? null };
}

function hashed(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const [seed, scale, middle] = [seedOf(name), scaleOf(name), name.endsWith('LayerNorm.weight') ? 1 : 0];
  for (let i = 0; i < values.length; i++) values[i] = ((hash(i ^ seed) >>> 8) / 2 ** 24 - 0.5) * scale + middle;
  return values;
}

function scaleOf(name: string): number {
  if (name.includes('LayerNorm')) return 0.25;
  if (name.includes('embeddings')) return 1;
  return /query|key/.test(name) ? 0.25 : 0.125;
}

function seedOf(name: string): number {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return seed;
}

function hash(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

function sha256(values: Float32Array | Uint32Array): string {
  return createHash('sha256').update(values).digest('hex');
}
