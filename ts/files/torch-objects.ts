// What a pickle of PyTorch may name: tensors, their storages and the dicts around them.
//
// A storage is a run of elements of one type that lies elsewhere in the file; the pickle knows it by
// a persistent id. A tensor is a view of a storage: where it begins, its shape and its strides.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { Callable, Dict, OrderedDict, unpickle } from './pickle.ts';
import { byteLength, isCount, type Dtype } from './tensors.ts';

/** Elements that lie somewhere in the file. */
export class Storage {
  constructor(readonly key: string, readonly dtype: Dtype, readonly count: number) {}

  get bytes(): number {
    return byteLength(this.dtype, [this.count]);
  }
}

/** A view of a storage. Offset and strides count elements. */
class TorchTensor {
  constructor(
    readonly storage: Storage, readonly offset: number,
    readonly shape: readonly number[], readonly strides: readonly number[],
  ) {}
}

/** An object as `torch.save` writes it, and the storages of all its tensors by their keys. */
export interface TorchObject {
  readonly value: unknown;
  readonly storages: ReadonlyMap<string, Storage>;
  /** The bytes that its pickle takes. */
  readonly end: number;
}

/** Complex, quantized and 8-bit floating types are left out: no Longformer has them. */
const STORAGES: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64', FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16',
  LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8',
  ByteStorage: 'U8', BoolStorage: 'BOOL',
};

/** The limit of PyTorch. A pickle may get one tuple from its memo as often as it likes: what is walked must be short. */
const MAX_AXES = 64;

class StorageType {
  constructor(readonly dtype: Dtype) {}
}

const GLOBALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(STORAGES).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)] as const),
  ['collections.OrderedDict', new Callable((args) => {
    if (args.length > 0) throw 'OrderedDict()';
    return new OrderedDict();
  })],
  ['torch.Size', new Callable(([sizes]) => {
    if (!isAxes(sizes)) throw `torch.Size(sizes) with at most ${MAX_AXES} of them`;
    return sizes;
  })],
  ['torch._utils._rebuild_tensor_v2', new Callable(([storage, offset, shape, strides, , , metadata]) => {
    // It says what changes the values, such as that they are to be negated.
    if (!isNothing(metadata)) throw '_rebuild_tensor_v2(...) without metadata';
    if (storage instanceof Storage && isCount(offset) && isAxes(shape) && isAxes(strides) && shape.length === strides.length) {
      return new TorchTensor(storage, offset, shape, strides);
    }
    throw `_rebuild_tensor_v2(storage, offset, size, stride, ...) with at most ${MAX_AXES} axes`;
  })],
  ['torch._utils._rebuild_parameter', new Callable(([tensor]) => {
    if (!(tensor instanceof TorchTensor)) throw '_rebuild_parameter(tensor, ...)';
    return tensor;
  })],
]);

/**
 * Reads the pickle that begins at `bytes[0]`; null if they end before it does.
 *
 * Throws `BAD_FILE` about `subject` if the pickle names anything but tensors, storages and dicts.
 */
export function unpickleTorch(bytes: Uint8Array, subject: string): TorchObject | null {
  const storages = new Map<string, Storage>();
  const persistent = (id: unknown): Storage => {
    const storage = storageOf(id);
    const known = storages.get(storage.key) ?? storage;
    if (known.dtype !== storage.dtype || known.count !== storage.count) throw 'of one type and size for one storage';
    storages.set(storage.key, known);
    return known;
  };
  const pickle = unpickle(bytes, subject, { globals: GLOBALS, persistent });
  return pickle && { ...pickle, storages };
}

/** `('storage', type, key, location, count)`, and behind it in a legacy file None or what it is a view of. */
function storageOf(id: unknown): Storage {
  if (Array.isArray(id)) {
    const [kind, type, key, , count, view] = id as unknown[];
    if (kind === 'storage' && type instanceof StorageType && typeof key === 'string' && isCount(count)
      && (view === undefined || view === null) && id.length <= 6) {
      return new Storage(key, type.dtype, count);
    }
  }
  throw "('storage', type, key, location, count)";
}

// ---------------------------------------------------------------------------- state dicts

/** Under which a training program keeps the state dict beside its own state. */
const WRAPPERS = ['state_dict', 'model'];

/**
 * The tensors of a state dict, by name, checked against their storages. It may lie in a dict as
 * `state_dict` or `model`.
 *
 * Throws `BAD_FILE` about `subject` or the tensor if the object is none, or a tensor's elements do
 * not lie row by row.
 */
export function stateDict(object: unknown, subject: string): Map<string, TorchTensor> {
  const refuse = (problem: string): LongformerError => new LongformerError('BAD_FILE', subject, problem);
  if (!(object instanceof Dict)) throw refuse('must hold a state dict');
  const wrapped = WRAPPERS.map((name) => object.entries.get(name)).filter((value) => value instanceof Dict);
  if (wrapped.length > 1) throw refuse(`must hold one state dict, holds ${WRAPPERS.join(' and ')}`);

  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of (wrapped[0] ?? object).entries) {
    if (typeof name !== 'string') throw refuse(`must have names of tensors as keys of its state dict, has ${name}`);
    if (!(value instanceof TorchTensor)) throw refuse(`must hold tensors only in its state dict, ${quoted(name)} is none`);
    checkView(value, `${subject}, tensor ${quoted(name)}`);
    tensors.set(name, value);
  }
  return tensors;
}

function checkView({ storage, offset, shape, strides }: TorchTensor, subject: string): void {
  const isEmpty = shape.includes(0);
  let rowMajor = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    // Where there is one place only, or none at all, no stride is ever used.
    if (shape[axis]! > 1 && strides[axis] !== rowMajor && !isEmpty) {
      throw new LongformerError('BAD_FILE', subject, `must lie row by row, has shape ${quoted(shape)} with strides ${quoted(strides)}`);
    }
    rowMajor *= shape[axis]!;
  }
  const bytes = byteLength(storage.dtype, shape) + byteLength(storage.dtype, [offset]);
  if (!(bytes <= storage.bytes)) {
    throw new LongformerError('BAD_FILE', subject,
      `must lie inside its storage of ${storage.count} elements, has shape ${quoted(shape)} from element ${offset}`);
  }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (value instanceof Dict && value.entries.size === 0);
}

/** Whether it is a tuple with a count for each axis of a tensor. */
function isAxes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_AXES && value.every(isCount);
}
