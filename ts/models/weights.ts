// From tensors in files to weights in the engine, piece by piece.
//
// A piece is some rows of a tensor. It goes from the file through a buffer of a few megabytes into
// the place where the engine keeps it, already packed, so that a checkpoint never lies in memory
// twice. Matrices are kept as the caller's dtype says but for those that are named, norms and biases in
// single precision.

import type { Dtype } from '../dtype.ts';
import { LongformerError } from '../errors.ts';
import type { StoredTensors, TensorInfo } from '../files/tensors.ts';
import { quoted } from '../quoted.ts';
import type { Run } from '../engine/services.ts';
import type { LayerNorm, Linear, Table } from '../../pkg/threads-simd128/longformer.js';

/** Bytes read at a time: enough to make a read worth it, few next to any checkpoint. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Formats of files that the engine reads. */
const FLOATS = ['F32', 'F16', 'BF16', 'F64'] as const;

/** The layer of logits goes by this name even where its weights are the word embeddings. */
const DECODER = 'lm_head.decoder';

/** What the engine calls each dtype. */
export const STORAGES = { f32: 'F32', f16: 'F16', int8: 'Int8' } as const;

/** Whether a name has that part, between dots. */
function hasPart(name: string, part: string): boolean {
  return `.${name}.`.includes(`.${part}.`);
}

/** The tensors of a checkpoint, and the handles made of them. */
export class Weights {
  readonly #run: Run;
  readonly #files: StoredTensors;
  readonly #dtype: Dtype;
  readonly #inF32: readonly string[];
  readonly #handles: { free(): void }[] = [];
  readonly #read = new Set<string>();
  /** Every piece's, while loading: a collector may let hundreds of megabytes of new ones pile up. */
  #room: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(PIECE_BYTES);
  readonly #total: number;
  #done = 0;
  #bytes = 0;

  /** `inF32`: parts of the names of what stays in single precision. */
  constructor(run: Run, files: StoredTensors, dtype: Dtype, inF32: readonly string[]) {
    this.#run = run;
    this.#files = files;
    this.#dtype = dtype;
    this.#inF32 = inF32;
    const names = [...files.tensors.keys(), DECODER];
    const unknown = inF32.find((part) => !names.some((name) => hasPart(name, part)));
    if (unknown !== undefined) {
      throw new LongformerError('BAD_INPUT', 'modulesToNotConvert', `must be parts of the names of tensors, and ${quoted(unknown)} is in none, as ${quoted(names[0])}`);
    }
    this.#total = [...files.tensors.values()].reduce((bytes, { start, end }) => bytes + end - start, 0);
  }

  /** What the handles hold in the engine. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Has the engine's memory grow by what the tensors of an encoder will take, at once. */
  expect(prefix: string): void {
    const encoder = [...this.#files.tensors].filter(([name]) => name.startsWith(prefix));
    const bytes = encoder.map(([name, { shape }]) => shape.reduce((a, b) => a * b, 1) * { f32: 4, f16: 2, int8: 1 }[this.#dtypeOf(name)]);
    this.#run.wasm.expectBytes(Math.min(2 ** 32 - 1, bytes.reduce((a, b) => a + b, 0)));
  }

  has(name: string): boolean {
    return this.#files.tensors.has(name);
  }

  /** `name.weight`, `[outFeatures, inFeatures]`, and `name.bias`. `groups`: the number of heads for a projection of attention, else 1. */
  async linear(name: string, inFeatures: number, outFeatures: number, groups = 1): Promise<Linear> {
    return this.#linear(`${name}.weight`, `${name}.bias`, [outFeatures, inFeatures], groups);
  }

  /**
   * The layer that turns hidden states into logits: `weight`, `[vocab, hidden]`, which may be tied, and `bias`, null
   * for none.
   */
  async decoder(weight: string, bias: string | null, hidden: number, vocab: number): Promise<Linear> {
    return this.#linear(weight, bias, [vocab, hidden], 1, DECODER);
  }

  /** `name.weight` and `name.bias`, `[cols]`; `gamma` and `beta` in files of the first BERTs. */
  async layerNorm(name: string, cols: number, eps: number): Promise<LayerNorm> {
    const names = this.has(`${name}.gamma`) ? ['gamma', 'beta'] : ['weight', 'bias'];
    const [weight, bias] = names.map((part) => this.#find(`${name}.${part}`, [cols])) as [TensorInfo, TensorInfo];
    const norm = this.keep(new this.#run.wasm.LayerNorm(cols, eps));
    this.#bytes += 2 * 4 * cols;
    await this.#write(weight, norm.writeWeight.bind(norm));
    await this.#write(bias, norm.writeBias.bind(norm));
    return norm;
  }

  /** `name.weight`, `[rows, cols]`. */
  async table(name: string, rows: number, cols: number): Promise<Table> {
    const weight = this.#find(`${name}.weight`, [rows, cols]);
    const table = this.keep(new this.#run.wasm.Table(this.#storageOf(weight.name), rows, cols));
    this.#bytes += table.bytes();
    await this.#write(weight, table.writeWeight.bind(table));
    return table;
  }

  /** Remembers a handle for `free`. */
  keep<T extends { free(): void }>(handle: T): T {
    this.#handles.push(handle);
    return handle;
  }

  /** Forgets a handle, for another one to take over. */
  release<T extends { free(): void }>(handle: T): T {
    this.#handles.splice(this.#handles.indexOf(handle), 1);
    return handle;
  }

  /** Says that loading is over: what the model does not use needs no reading. */
  finish(): void {
    this.#room = undefined;
    if (this.#done < this.#total) this.#run.progress({ stage: 'load', done: this.#total, total: this.#total, unit: 'bytes' });
  }

  /** Gives the memory of all weights back. */
  free(): void {
    for (const handle of this.#handles.splice(0)) handle.free();
  }

  #dtypeOf(...names: string[]): Dtype {
    return this.#inF32.some((part) => names.some((name) => hasPart(name, part))) ? 'f32' : this.#dtype;
  }

  #storageOf(...names: string[]): number {
    return this.#run.wasm.Storage[STORAGES[this.#dtypeOf(...names)]];
  }

  async #linear(weightName: string, biasName: string | null, shape: [number, number], groups: number, ...otherNames: string[]): Promise<Linear> {
    const [outFeatures, inFeatures] = shape;
    const weight = this.#find(weightName, shape);
    const bias = biasName === null ? null : this.#find(biasName, [outFeatures]);
    const linear = this.keep(new this.#run.wasm.Linear(this.#storageOf(weight.name, ...otherNames), inFeatures, outFeatures, groups));
    this.#bytes += linear.bytes();
    await this.#write(weight, linear.writeWeight.bind(linear));
    if (bias !== null) await this.#write(bias, linear.writeBias.bind(linear));
    return linear;
  }

  async #write({ name, ...info }: TensorInfo, write: (firstRow: number, dtype: number, bytes: Uint8Array) => void): Promise<void> {
    const dtype = this.#run.wasm.Dtype[info.dtype as (typeof FLOATS)[number]];
    const rows = info.shape[0]!;
    const rowBytes = (info.end - info.start) / rows;
    const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
    for (let row = 0; row < rows; row += rowsPerPiece) {
      await this.#run.pause();
      const end = Math.min(rows, row + rowsPerPiece);
      const bytes = await this.#files.read(name, row * rowBytes, end * rowBytes, this.#room);
      if (bytes.length !== (end - row) * rowBytes) {
        throw new LongformerError('BAD_FILE', `the tensor ${name}`, `must have ${(end - row) * rowBytes} bytes in rows ${row} to ${end}, a read gave ${bytes.length}`);
      }
      try {
        write(row, dtype, bytes);
      } catch (cause) {
        // Shapes are right by now: what breaks a rule is a number of the file.
        const { code, message } = cause as { code?: string; message: string };
        throw code === 'BAD_INPUT' ? new LongformerError('BAD_FILE', `the tensor ${name}`, message, { cause }) : cause;
      }
      if (!this.#read.has(name)) this.#done += (end - row) * rowBytes;
      this.#run.progress({ stage: 'load', name, done: this.#done, total: this.#total, unit: 'bytes' });
    }
    this.#read.add(name);
  }

  /** Checked before memory is taken: a config may claim any size. */
  #find(name: string, shape: number[]): TensorInfo {
    const info = this.#files.tensors.get(name);
    if (info === undefined) throw new LongformerError('NOT_FOUND', `the tensor ${name}`, 'must be in the checkpoint, is not');
    if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
      throw new LongformerError('BAD_FILE', `the tensor ${name}`, `must have the shape [${shape}] that config.json says, has ${quoted(info.shape)}`);
    }
    if (!(FLOATS as readonly string[]).includes(info.dtype)) {
      throw new LongformerError('BAD_FILE', `the tensor ${name}`, `must hold ${FLOATS.join(', ')}, holds ${info.dtype}`);
    }
    return info;
  }
}
