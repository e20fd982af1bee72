// Files of PyTorch made by hand: pickles opcode by opcode, streams and zips part by part.

const encoder = new TextEncoder();

export function bytesOf(...parts: (Uint8Array | number[] | string)[]): Uint8Array<ArrayBuffer> {
  const arrays = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : Uint8Array.from(part)));
  const all = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** `bytes` very many times over: more than a call takes arguments. */
export function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
  return all;
}

export const uint = (value: number | bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Number(BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * i) & 255n));

// ---------------------------------------------------------------------------- pickles

export const pickle = (...body: (Uint8Array | number[] | string)[]): Uint8Array<ArrayBuffer> => bytesOf([0x80, 2], ...body, '.');
export const text = (value: string): Uint8Array => bytesOf('X', uint(encoder.encode(value).length, 4), value);
export const int = (value: number): Uint8Array => bytesOf('J', uint(value, 4));
export const global = (module: string, name: string): Uint8Array => bytesOf(`c${module}\n${name}\n`);
export const tuple = (...items: Uint8Array[]): Uint8Array => bytesOf('(', ...items, 't');
export const call = (callable: Uint8Array, ...args: Uint8Array[]): Uint8Array => bytesOf(callable, tuple(...args), 'R');
export const dict = (...items: Uint8Array[]): Uint8Array => bytesOf('}(', ...items, 'u');
export const list = (...items: Uint8Array[]): Uint8Array => bytesOf('](', ...items, 'e');

export const storage = (key: string, count: number, type = 'FloatStorage'): Uint8Array =>
  bytesOf(tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(count)), 'Q');

export interface View {
  storage?: Uint8Array;
  offset?: number;
  shape?: number[];
  strides?: number[];
  /** Behind what every tensor has. */
  metadata?: Uint8Array;
}

/** A tensor of six floats in storage "0", where nothing else is said. */
export function tensor({ storage: of = storage('0', 6), offset = 0, shape = [2, 3], strides = [3, 1], metadata = bytesOf() }: View = {}): Uint8Array {
  const none = bytesOf(global('collections', 'OrderedDict'), ')R');
  return call(global('torch._utils', '_rebuild_tensor_v2'), of, int(offset), tuple(...shape.map(int)), tuple(...strides.map(int)), bytesOf([0x89]), none, metadata);
}

// ---------------------------------------------------------------------------- streams

const MAGIC = bytesOf([0x8a, 10], uint(0xa86a20f9469cfc6cn, 8), [0x50, 0x19]);

/** A file as PyTorch wrote it before 1.6. `object`: a whole pickle. */
export function streamOf(object: Uint8Array, storages: Record<string, Uint8Array> = {}, littleEndian = true): Uint8Array<ArrayBuffer> {
  return bytesOf(
    pickle(MAGIC), pickle(int(1001)), pickle(dict(text('little_endian'), bytesOf([littleEndian ? 0x88 : 0x89]))),
    object, pickle(list(...Object.keys(storages).map(text))),
    ...Object.values(storages).map((data) => bytesOf(uint(data.length / 4, 8), data)),
  );
}

// ---------------------------------------------------------------------------- zips

export interface ZipPart {
  name: string;
  data: Uint8Array;
  /** 8: deflate. */
  method?: number;
  flags?: number;
  /** What the directory says, where it is not the truth. */
  size?: number;
  start?: number;
  /** What the entry's own header says. */
  localName?: string;
}

/** A zip whose entries are stored; `wide` keeps all sizes and places in 64 bits. */
export function zipOf(parts: ZipPart[], { wide = false, count = parts.length, comment = '' } = {}): Uint8Array<ArrayBuffer> {
  let body = bytesOf();
  let directory = bytesOf();
  for (const { name, data, method = 0, flags = 0x0808, size = data.length, start = body.length, localName = name } of parts) {
    const sizes = (bytes: number): number[] => uint(wide ? 0xffff_ffff : bytes, 4);
    const extra = wide ? bytesOf(uint(1, 2), uint(24, 2), uint(size, 8), uint(size, 8), uint(start, 8)) : bytesOf();
    const common = [...uint(flags, 2), ...uint(method, 2), ...uint(0, 8)];
    body = bytesOf(body, 'PK\x03\x04', uint(0, 2), common, uint(data.length, 4), uint(data.length, 4),
      uint(localName.length, 2), uint(7, 2), localName, new Uint8Array(7), data);
    directory = bytesOf(directory, 'PK\x01\x02', uint(0, 4), common, sizes(size), sizes(size),
      uint(name.length, 2), uint(extra.length, 2), uint(0, 8), uint(0, 2), sizes(start), name, extra);
  }
  const ends = [];
  if (wide) {
    const end64 = [...uint(44, 8), ...uint(0, 12), ...uint(count, 8), ...uint(count, 8), ...uint(directory.length, 8), ...uint(body.length, 8)];
    ends.push(bytesOf('PK\x06\x06', end64), bytesOf('PK\x06\x07', uint(0, 4), uint(body.length + directory.length, 8), uint(1, 4)));
  }
  const narrow = (value: number, bytes: number): number[] => uint(wide ? -1 : value, bytes);
  return bytesOf(body, directory, ...ends, 'PK\x05\x06', uint(0, 4), narrow(count, 2), narrow(count, 2),
    narrow(directory.length, 4), narrow(body.length, 4), uint(comment.length, 2), comment);
}
