// The safetensors format: named tensors behind a JSON header, read in ranges.
//
//     u64 length of the header, little-endian | header | data of the tensors, without holes
//
// The header is `{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}`, offsets
// counted from the end of the header, and may hold strings under `__metadata__`. Files come from
// strangers, so every claim of the header is checked against the rest before a tensor is read; the
// rules are those of the format's own Rust library.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { badFile, type OpenFile } from './source.ts';
import { byteLength, DTYPE_BYTES, isCount, tensorsOf, type Dtype, type StoredTensors, type TensorInfo } from './tensors.ts';

/** The limit of the format's Rust library; the header of a large model has some 100 kB. */
const MAX_HEADER_BYTES = 100_000_000;

/** header > tensor > shape. Deeper nesting is hostile, and would cost memory to parse. */
const MAX_HEADER_DEPTH = 3;

/**
 * Reads and checks the header. The file belongs to the result from then on, and is closed if it is refused.
 *
 * Rejects with `BAD_FILE`, naming the file, the tensor and the rule.
 */
export async function openSafetensors(file: OpenFile): Promise<StoredTensors> {
  try {
    const { json, dataStart } = await readHeader(file);
    const header = parseHeader(file, json);
    const metadata = parseMetadata(file, header);
    const tensors = Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, entry]) => parseTensor(file, name, entry, dataStart));
    tensors.sort((a, b) => a.start - b.start || a.end - b.end);
    checkLayout(file, tensors, dataStart);
    return tensorsOf(file, tensors, metadata);
  } catch (error) {
    await file.close();
    throw error;
  }
}

// ---------------------------------------------------------------------------- header

async function readHeader(file: OpenFile): Promise<{ json: string; dataStart: number }> {
  if (file.size < 8) throw badFile(file, `must begin with the 8 bytes of its header's length, has ${file.size} bytes`);
  const prefix = await file.read(0, 8);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const start = new TextDecoder().decode(await file.read(0, Math.min(file.size, 24)));
    const what = /^[\x20-\x7e\s]+$/.test(start) ? `begins with ${quoted(start)}` : `claims ${length}`; // a page, a pointer of Git LFS
    throw badFile(file, `must have a header of at most ${MAX_HEADER_BYTES} bytes, ${what}`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > file.size) {
    throw badFile(file, `must have the ${length} bytes of header that it claims, has ${file.size - 8} after the length`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { json: text.decode(await file.read(8, dataStart)), dataStart };
  } catch (cause) {
    if (cause instanceof LongformerError) throw cause;
    throw badFile(file, 'must have a header in UTF-8', { cause });
  }
}

function parseHeader(file: OpenFile, json: string): Record<string, unknown> {
  refuseDuplicatesAndDepth(file, json);
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw badFile(file, 'must have a header in JSON', { cause });
  }
  if (!isObject(header)) throw badFile(file, `must have a JSON object as header, got ${quoted(header)}`);
  return header;
}

/**
 * JSON.parse keeps the last of two equal keys without a word. This walk over the text sees both, and
 * the depth before memory is spent on it. It needs no valid JSON: the parser comes after it.
 */
function refuseDuplicatesAndDepth(file: OpenFile, json: string): void {
  const keysOfOpenObjects: Set<string>[] = []; // for an array a set that stays empty
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '{' || char === '[') {
      keysOfOpenObjects.push(new Set());
      if (keysOfOpenObjects.length > MAX_HEADER_DEPTH) {
        throw badFile(file, `must nest its header at most ${MAX_HEADER_DEPTH} deep, is deeper at character ${at}`);
      }
    } else if (char === '}' || char === ']') {
      keysOfOpenObjects.pop();
    } else if (char === '"') {
      const begin = at;
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++;
      let next = at + 1;
      while (next < json.length && ' \t\n\r'.includes(json[next]!)) next++;
      if (json[next] !== ':') continue;
      const keys = keysOfOpenObjects.at(-1);
      const key = unescaped(json.slice(begin, at + 1));
      if (keys?.has(key)) throw badFile(file, `must name everything once in its header, names ${quoted(key)} twice`);
      keys?.add(key);
    }
  }
}

function unescaped(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal; // no valid JSON: JSON.parse of the whole header will say so
  }
}

function parseMetadata(file: OpenFile, header: Record<string, unknown>): Map<string, string> {
  const metadata = header['__metadata__'] ?? {};
  if (!isObject(metadata)) throw badFile(file, `must have an object as __metadata__, got ${quoted(metadata)}`);
  return new Map(Object.entries(metadata).map(([key, value]) => {
    if (typeof value === 'string') return [key, value];
    throw badFile(file, `must have strings in __metadata__, got ${quoted(value)} for ${quoted(key)}`);
  }));
}

// ---------------------------------------------------------------------------- tensors

function parseTensor(file: OpenFile, name: string, entry: unknown, dataStart: number): TensorInfo {
  const refuse = (problem: string): LongformerError => badTensor(file, name, problem);
  if (!isObject(entry)) throw refuse(`must be described by an object, got ${quoted(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;

  if (!isDtype(dtype)) {
    throw refuse(`must have a dtype of ${Object.keys(DTYPE_BYTES).join(', ')}, got ${quoted(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw refuse(`must have a shape of whole numbers from 0 to 2^53 - 1, got ${quoted(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw refuse(`must have two whole numbers as data_offsets, got ${quoted(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw refuse(`must have its data_offsets in order, got ${quoted(offsets)}`);

  const bytes = byteLength(dtype, shape);
  if (!Number.isSafeInteger(bytes)) {
    throw refuse(`must have fewer than 2^53 bytes, has shape ${quoted(shape)} of ${dtype}`);
  }
  if (end - begin !== bytes) {
    throw refuse(`must have ${bytes} bytes for shape ${quoted(shape)} of ${dtype}, `
      + `its data_offsets ${quoted(offsets)} have ${end - begin}`);
  }
  if (end > file.size - dataStart) {
    throw refuse(`must end inside the file, its data_offsets ${quoted(offsets)} `
      + `exceed the ${file.size - dataStart} bytes of data: is the file truncated?`);
  }
  return { name, dtype, shape, start: dataStart + begin, end: dataStart + end };
}

/** Tensors, ascending, must cover the data without overlaps and holes: nothing may hide in a file, or be read twice. */
function checkLayout(file: OpenFile, tensors: readonly TensorInfo[], dataStart: number): void {
  let covered = dataStart;
  for (const { name, start, end } of tensors) {
    if (start !== covered) {
      throw badTensor(file, name, `must begin where the data before it ends, at ${covered - dataStart}, `
        + `${start < covered ? 'overlaps it from' : 'leaves a hole up to'} ${start - dataStart}`);
    }
    covered = end;
  }
  if (covered !== file.size) {
    throw badFile(file, `must end with its last tensor, has ${file.size - covered} bytes behind it`);
  }
}

// ---------------------------------------------------------------------------- checks

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BYTES, value);
}

function badTensor(file: OpenFile, name: string, problem: string): LongformerError {
  return new LongformerError('BAD_FILE', `${file.name}, tensor ${quoted(name)}`, problem);
}
