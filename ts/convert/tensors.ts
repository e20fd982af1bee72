// The tensors of a conversion: which become what, and the ranges of bytes that the new ones are made of.

import type { LongformerConfig } from '../config.ts';
import { LongformerError } from '../errors.ts';
import type { TensorToWrite } from '../files/safetensors-writer.ts';
import type { Source } from '../files/source.ts';
import { byteLength, DTYPE_BYTES, type StoredTensors, type TensorInfo } from '../files/tensors.ts';
import { quoted } from '../quoted.ts';
import { longformerName, requiredTensors } from './names.ts';

/** Bytes held at a time. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** New names by the old ones, after a check that everything is there, once and in its shape. */
export function newNames(
  source: Source, { tensors }: StoredTensors, architecture: string, config: LongformerConfig,
): Map<string, string> {
  const names = new Map<string, string>();
  const converted = new Map<string, TensorInfo>();
  for (const tensor of tensors.values()) {
    const name = longformerName(tensor.name, architecture);
    if (name === null) continue;
    const rival = converted.get(name);
    if (rival !== undefined) {
      throw new LongformerError('BAD_FILE', `${source.label}, tensor ${quoted(tensor.name)}`,
        `must be there once, is there as ${quoted(rival.name)} too`);
    }
    names.set(tensor.name, name);
    converted.set(name, tensor);
  }
  for (const [name, shape] of requiredTensors(architecture, config)) {
    const tensor = converted.get(name);
    if (tensor === undefined) {
      throw new LongformerError('BAD_FILE', `${source.label}, ${architecture}`,
        `must have a tensor that becomes ${name}, has none`);
    }
    if (shape !== null && String(tensor.shape) !== String(shape)) {
      throw new LongformerError('BAD_FILE', `${source.label}, tensor ${quoted(tensor.name)}`,
        `must have shape ${quoted(shape)} by config.json, has ${quoted(tensor.shape)}`);
    }
  }
  return names;
}

/** What is to be written. `firstPosition`: the row of the source's table that its first token reads. */
export function convertedTensors(
  checkpoint: StoredTensors, names: ReadonlyMap<string, string>,
  config: LongformerConfig, maxPositions: number, firstPosition: number,
): TensorToWrite[] {
  return [...names].flatMap(([from, name]) => {
    const { dtype, shape } = checkpoint.tensors.get(from)!;
    if (name.endsWith('embeddings.position_embeddings.weight')) {
      const rowBytes = config.hidden_size * DTYPE_BYTES[dtype];
      const leading = config.pad_token_id + 1;
      const rows = () => repeatedRows(config.max_position_embeddings, firstPosition, leading, maxPositions);
      return [{
        name,
        dtype,
        shape: [leading + maxPositions, config.hidden_size],
        chunks: () => readRanges(checkpoint, from, bytesOfRows(rows(), rowBytes)),
      }];
    }
    const whole: [number, number] = [0, byteLength(dtype, shape)];
    const copy = (copyName: string): TensorToWrite =>
      ({ name: copyName, dtype, shape, chunks: () => readRanges(checkpoint, from, [whole]) });
    const global = name.replace(/(\.attention\.self\.(query|key|value))(\.(weight|bias))$/, '$1_global$3');
    return global === name ? [copy(name)] : [copy(name), copy(global)];
  });
}

/**
 * Ranges of rows of the old table that make the new one: `leading` rows that no token reads, then
 * those from the first token's on, again and again. Positions before the first token's (RoBERTa has
 * two) are kept, lest a padding id inside a text changes its meaning; BERT has none, and its first
 * row stands in.
 */
function* repeatedRows(
  rows: number, firstPosition: number, leading: number, maxPositions: number,
): Generator<[number, number]> {
  if (firstPosition > 0) yield [0, leading];
  else for (let row = 0; row < leading; row++) yield [0, 1];
  for (let made = 0; made < maxPositions; made += rows - firstPosition) {
    yield [firstPosition, Math.min(rows, firstPosition + maxPositions - made)];
  }
}

function* bytesOfRows(ranges: Iterable<[number, number]>, rowBytes: number): Generator<[number, number]> {
  for (const [from, to] of ranges) yield [from * rowBytes, to * rowBytes];
}

async function* readRanges(
  checkpoint: StoredTensors, name: string, ranges: Iterable<[number, number]>,
): AsyncGenerator<Uint8Array> {
  for (const [start, end] of ranges) {
    for (let at = start; at < end; at += CHUNK_BYTES) yield checkpoint.read(name, at, Math.min(at + CHUNK_BYTES, end));
  }
}
