// Tensors in files: what every reader of a checkpoint's weights gives, whatever their format.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { OpenFile } from './source.ts';

/** Bytes per element, by the names of safetensors. Types below one byte are not read. */
export const DTYPE_BYTES = {
  BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1,
  U16: 2, I16: 2, F16: 2, BF16: 2,
  U32: 4, I32: 4, F32: 4,
  U64: 8, I64: 8, F64: 8, C64: 8,
} as const;

export type Dtype = keyof typeof DTYPE_BYTES;

/** A tensor in a file: little-endian, row-major, in one piece. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Where the data lies, in bytes from the start of the file. */
  readonly start: number;
  readonly end: number;
}

/** Tensors by name, of one file or several. */
export interface StoredTensors {
  /** In the order of their data. Tied ones share it. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Strings that the file says about itself: `__metadata__` of safetensors. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * The bytes `start..end` of a tensor's data, all of it by default; `room` as in `OpenFile`.
   *
   * Rejects with `NOT_FOUND` if there is no such tensor, `BAD_FILE` if the file has shrunk.
   */
  read(name: string, start?: number, end?: number, room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** The tensors of one file, in the order of their data, checked against it. The file belongs to the result. */
export function tensorsOf(
  file: OpenFile, tensors: readonly TensorInfo[], metadata: ReadonlyMap<string, string> = new Map(),
): StoredTensors {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    tensors: byName,
    metadata,
    async read(name, start = 0, end, room) {
      const tensor = byName.get(name);
      const subject = `${file.name}, tensor ${quoted(name)}`;
      if (tensor === undefined) throw new LongformerError('NOT_FOUND', subject, 'must be there, is not');
      const size = tensor.end - tensor.start;
      const stop = end ?? size;
      if (!(start >= 0 && start <= stop && stop <= size)) {
        throw new LongformerError('BAD_INPUT', subject, `has bytes 0..${size}, not ${start}..${stop}`);
      }
      return file.read(tensor.start + start, tensor.start + stop, room);
    },
    close: () => file.close(),
  };
}

/** The bytes of a tensor; above 2^53 - 1 no safe integer. */
export function byteLength(dtype: Dtype, shape: readonly number[]): number {
  // A zero anywhere makes it empty, even beside factors whose product overflows.
  if (shape.includes(0)) return 0;
  return shape.reduce((product, dim) => product * dim, DTYPE_BYTES[dtype]);
}

/** Whether it can be a size, a place or a number of elements. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
