// The safetensors format, written as a stream: the header first, then one tensor after another.

import { byteLength, DTYPE_BYTES, type Dtype } from './tensors.ts';

/** A tensor to be written. Its bytes are asked for when their turn comes. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Little-endian, row-major, in pieces of any size. */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * The bytes of a safetensors file, in pieces.
 *
 * Wider types come first, so that every tensor lies at a multiple of its element's size; among
 * equals the given order stays. A tensor whose chunks do not match its shape ends the stream with
 * an Error: that is a mistake of the caller, not of a file.
 */
export async function* writeSafetensors(
  tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const ordered = [...tensors].sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
  yield headerOf(ordered, metadata);
  for (const { name, dtype, shape, chunks } of ordered) {
    const expected = byteLength(dtype, shape);
    let written = 0;
    for await (const chunk of chunks()) {
      written += chunk.length;
      if (written > expected) break;
      yield chunk;
    }
    if (written !== expected) throw new Error(`tensor ${name} must have ${expected} bytes, its chunks have ${written}`);
  }
}

function headerOf(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  const names = new Set<string>();
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    if (name === '__metadata__' || names.has(name)) throw new Error(`tensor ${name} must have a name of its own`);
    names.add(name);
    const end = offset + byteLength(dtype, shape);
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Spaces up to a multiple of 8, so that the data begins at one.
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}
