import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSafetensors } from '../dist/files/safetensors.js';
import { writeSafetensors, type TensorToWrite } from '../dist/files/safetensors-writer.js';
import type { OpenFile } from '../dist/files/source.js';
import type { StoredTensors } from '../dist/files/tensors.js';
import { assertRefuses } from './rejects.ts';

const test = suite('safetensors');

/** A file in memory that tells whether it was closed and which ranges were read. */
function memoryFile(bytes: Uint8Array): OpenFile & { closed: boolean; reads: [number, number][] } {
  return {
    name: 'test.safetensors',
    size: bytes.length,
    closed: false,
    reads: [],
    async read(start, end) {
      this.reads.push([start, end]);
      return bytes.slice(start, end);
    },
    async close() {
      this.closed = true;
    },
  };
}

/** A file of that header, as text or as a value, and that many bytes of data. */
function fileOf(header: unknown, dataBytes: number) {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  for (let i = 0; i < dataBytes; i++) bytes[8 + json.length + i] = i;
  return memoryFile(bytes);
}

async function refuses(header: unknown, dataBytes: number, ...patterns: RegExp[]): Promise<void> {
  const file = fileOf(header, dataBytes);
  await assertRefuses(() => openSafetensors(file), 'BAD_FILE', /^test\.safetensors/, ...patterns);
  assert.ok(file.closed, 'a refused file is closed');
}

const pair = {
  a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
  b: { dtype: 'U8', shape: [2, 2], data_offsets: [8, 12] },
};

test('gives tensors by name, and reads ranges of them only', async () => {
  const file = fileOf({ __metadata__: { format: 'pt' }, b: pair.b, a: pair.a }, 12);
  const opened = await openSafetensors(file);
  assert.equal([...opened.tensors.keys()], ['a', 'b']);
  assert.equal([...opened.metadata], [['format', 'pt']]);
  const { start, end, ...b } = opened.tensors.get('b')!;
  assert.equal(b, { name: 'b', dtype: 'U8', shape: [2, 2] });
  assert.is(end, file.size);
  assert.is(start, file.size - 4);

  file.reads.length = 0;
  assert.equal([...await opened.read('b')], [8, 9, 10, 11]);
  assert.equal([...await opened.read('b', 1, 3)], [9, 10]);
  assert.equal([...await opened.read('a', 4)], [4, 5, 6, 7]);
  assert.equal(file.reads.map(([from, to]) => to - from), [4, 2, 4]);
  await opened.close();
  assert.ok(file.closed);
});

test('refuses to read what is not there', async () => {
  const opened = await openSafetensors(fileOf(pair, 12));
  await assertRefuses(() => opened.read('c'), 'NOT_FOUND', /test\.safetensors, tensor "c"/);
  for (const [start, end] of [[-1, 2], [0, 5], [3, 2], [NaN, 2]] as const) {
    await assertRefuses(() => opened.read('b', start, end), 'BAD_INPUT', /tensor "b" has bytes 0\.\.4/);
  }
});

test('takes empty files, scalars, empty tensors and padding behind the header', async () => {
  assert.is((await openSafetensors(fileOf('{}  ', 0))).tensors.size, 0);
  const opened = await openSafetensors(fileOf({
    scalar: { dtype: 'I64', shape: [], data_offsets: [0, 8] },
    empty: { dtype: 'F32', shape: [0, 2 ** 40, 2 ** 40], data_offsets: [8, 8] },
  }, 8));
  assert.is((await opened.read('scalar')).length, 8);
  assert.is((await opened.read('empty')).length, 0);
});

test('takes names that mean something to JavaScript', async () => {
  const opened = await openSafetensors(fileOf('{"__proto__": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, "constructor": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}', 2));
  assert.equal([...opened.tensors.keys()], ['__proto__', 'constructor']);
});

test('takes names with quotes, and sees no twins in them', async () => {
  const names = ['p","k":"', 'q","k":"', '\\'];
  const header = Object.fromEntries(names.map((name, i) => [name, { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] }]));
  assert.equal([...(await openSafetensors(fileOf(header, 3))).tensors.keys()], names);
});

// ---------------------------------------------------------------------------- hostile files

test('a file without room for the length', async () => {
  for (const size of [0, 7]) {
    await assertRefuses(() => openSafetensors(memoryFile(new Uint8Array(size))), 'BAD_FILE', /8 bytes of its header's length, has \d bytes/);
  }
});

test('a header beyond the file, above the limit, or of 2^64 - 1 bytes', async () => {
  const claim = (length: bigint) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return memoryFile(bytes);
  };
  await assertRefuses(() => openSafetensors(claim(25n)), 'BAD_FILE', /the 25 bytes of header that it claims, has 24/);
  await assertRefuses(() => openSafetensors(claim(100_000_001n)), 'BAD_FILE', /at most 100000000 bytes, claims 100000001/);
  await assertRefuses(() => openSafetensors(claim(2n ** 64n - 1n)), 'BAD_FILE', /claims 18446744073709551615/);
});

test('a header that is no JSON, no object, or no UTF-8', async () => {
  for (const text of ['', '{', '{"a": }', '{"a": 1}}', 'x{}', '{"a": "', '{"a\\', '\u0000{}']) await refuses(text, 0, /must have a header in JSON/);
  for (const text of ['[]', 'null', '3', '"a"']) await refuses(text, 0, /must have a JSON object as header/);
  const file = fileOf('{"aaaa":{}}', 0);
  const broken = memoryFile(await file.read(0, file.size));
  const { read } = broken;
  broken.read = async (start, end) => {
    const bytes = await read.call(broken, start, end);
    if (start === 8) bytes[3] = 0xff;
    return bytes;
  };
  await assertRefuses(() => openSafetensors(broken), 'BAD_FILE', /header in UTF-8/);
});

test('a header that nests deeply is refused before it is parsed', async () => {
  await refuses(`{"a": ${'['.repeat(1_000_000)}`, 0, /at most 3 deep/);
  await refuses('{"a": {"shape": [[1]]}}', 0, /at most 3 deep/);
});

test('a name twice, spelled the same or with an escape', async () => {
  const entry = '{"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}';
  await refuses(`{"a": ${entry}, "a": ${entry}}`, 1, /names "a" twice/);
  await refuses(`{"a": ${entry}, "\\u0061" : ${entry}}`, 1, /names "a" twice/);
  await refuses('{"a": {"dtype": "U8", "dtype": "F32", "shape": [1], "data_offsets": [0, 1]}}', 1, /names "dtype" twice/);
});

test('metadata that is no map of strings', async () => {
  await refuses({ __metadata__: [] }, 0, /object as __metadata__, got \[\]/);
  await refuses({ __metadata__: { a: 1 } }, 0, /strings in __metadata__, got 1 for "a"/);
});

const entryOf = (changes: object) => ({ 'w.weight': { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes } });

test('an entry that is no object or lacks a field', async () => {
  for (const entry of [null, 1, 'F32', []]) await refuses({ 'w.weight': entry }, 0, /tensor "w\.weight" must be described by an object/);
  await refuses(entryOf({ dtype: undefined }), 8, /tensor "w\.weight" must have a dtype/);
  await refuses(entryOf({ shape: undefined }), 8, /must have a shape/);
  await refuses(entryOf({ data_offsets: undefined }), 8, /as data_offsets/);
});

test('an unknown dtype', async () => {
  for (const dtype of ['F31', 'f32', 'toString', '', 4, null]) {
    await refuses(entryOf({ dtype }), 8, /tensor "w\.weight" must have a dtype of .*F32.*, got/);
  }
});

test('a shape with entries that are negative, fractional, too large or no numbers', async () => {
  for (const shape of [[-2], [0.5], [1e300], [2 ** 53], ['2'], [null], 2, '2', {}]) {
    await refuses(entryOf({ shape }), 8, /tensor "w\.weight" must have a shape of whole numbers/);
  }
});

test('a shape whose product overflows', async () => {
  await refuses(entryOf({ shape: [2 ** 40, 2 ** 40] }), 8, /fewer than 2\^53 bytes/);
  // 2^62 elements of 4 bytes are 2^64, which wraps to 0 in 64-bit arithmetic.
  await refuses(entryOf({ shape: [2 ** 31, 2 ** 31], data_offsets: [0, 0] }), 0, /fewer than 2\^53 bytes/);
});

test('offsets that are malformed or out of order', async () => {
  for (const data_offsets of [[0], [0, 4, 8], [-8, 0], [0, 8.5], ['0', '8'], 8]) {
    await refuses(entryOf({ data_offsets }), 8, /tensor "w\.weight" must have two whole numbers as data_offsets/);
  }
  await refuses(entryOf({ data_offsets: [8, 0] }), 8, /data_offsets in order, got \[8,0\]/);
});

test('offsets that do not match shape and dtype', async () => {
  await refuses(entryOf({ shape: [3] }), 8, /tensor "w\.weight" must have 12 bytes for shape \[3\] of F32, .* have 8/);
  await refuses(entryOf({ dtype: 'F16' }), 8, /must have 4 bytes/);
});

test('offsets beyond the file: a truncated file', async () => {
  await refuses(entryOf({}), 7, /tensor "w\.weight" must end inside the file, .*\[0,8\] exceed the 7 bytes/);
});

test('tensors that overlap, or share their data', async () => {
  await refuses({ a: pair.a, b: { dtype: 'U8', shape: [4], data_offsets: [7, 11] } }, 11, /tensor "b" must begin .* at 8, overlaps it from 7/);
  await refuses({ a: pair.a, b: pair.a }, 8, /tensor "b" .* overlaps it from 0/);
});

test('holes before, between and behind tensors', async () => {
  await refuses(entryOf({ data_offsets: [4, 12] }), 12, /at 0, leaves a hole up to 4/);
  await refuses({ a: pair.a, b: { dtype: 'U8', shape: [3], data_offsets: [9, 12] } }, 12, /tensor "b" must begin .* at 8, leaves a hole up to 9/);
  await refuses(pair, 13, /must end with its last tensor, has 1 bytes behind it/);
  await refuses({}, 3, /has 3 bytes behind it/);
});

test('long offenders are cut in messages', async () => {
  const file = fileOf({ ['n'.repeat(100_000)]: { dtype: 'x'.repeat(100_000) } }, 0);
  try {
    await openSafetensors(file);
    assert.unreachable();
  } catch (error) {
    assert.ok((error as Error).message.length < 600);
  }
});

// ---------------------------------------------------------------------------- writing

async function written(tensors: TensorToWrite[], metadata?: Record<string, string>): Promise<StoredTensors & { bytes: Uint8Array }> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of writeSafetensors(tensors, metadata)) pieces.push(new Uint8Array(piece));
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return { ...await openSafetensors(memoryFile(bytes)), bytes };
}

const bytesOf = (...values: number[]) => new Uint8Array(values);

test('what was written is read back', async () => {
  async function* slowly() {
    yield bytesOf(1, 2, 3);
    yield bytesOf();
    yield bytesOf(4, 5, 6, 7, 8);
  }
  const file = await written([
    { name: 'odd', dtype: 'U8', shape: [3], chunks: () => [bytesOf(9, 9, 9)] },
    { name: 'ä "quoted"', dtype: 'F32', shape: [2, 1], chunks: slowly },
    { name: 'none', dtype: 'F32', shape: [0], chunks: () => [] },
  ], { format: 'pt' });
  assert.equal([...await file.read('odd')], [9, 9, 9]);
  assert.equal([...await file.read('ä "quoted"')], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.is(file.metadata.get('format'), 'pt');
  // Wide types come first, so that everything lies at a multiple of its size.
  assert.equal([...file.tensors.keys()], ['ä "quoted"', 'none', 'odd']);
  assert.is(file.tensors.get('ä "quoted"')!.start % 8, 0);
});

test('chunks that do not match the shape end the stream', async () => {
  for (const length of [3, 5]) {
    try {
      await written([{ name: 'a', dtype: 'F32', shape: [1], chunks: () => [new Uint8Array(length)] }]);
    } catch (error) {
      assert.match((error as Error).message, `tensor a must have 4 bytes, its chunks have ${length}`);
      continue;
    }
    assert.unreachable();
  }
});

test('a name is written once', async () => {
  const a: TensorToWrite = { name: 'a', dtype: 'U8', shape: [0], chunks: () => [] };
  try {
    await written([a, a]);
  } catch (error) {
    assert.match((error as Error).message, /tensor a must have a name of its own/);
    return;
  }
  assert.unreachable();
});

test.run();
