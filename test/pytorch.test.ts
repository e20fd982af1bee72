// pytorch_model.bin: what torch.save wrote is read bit for bit, and nothing else is let in.

import { readFile } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, LongformerError, LongformerModel, type Engine, type FileSource } from 'longformer-wasm';
import { openPytorch } from '../dist/files/pytorch.js';
import type { OpenFile } from '../dist/files/source.js';
import type { StoredTensors } from '../dist/files/tensors.js';
import {
  bytesOf, call, dict, global, int, list, pickle, storage, streamOf, tensor, text, tuple, uint, zipOf, type View, type ZipPart,
} from './pytorch-files.ts';
import { assertRefuses } from './rejects.ts';

const folder = new URL('./fixtures/pytorch/', import.meta.url);
const fixture = async (name: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await readFile(new URL(name, folder)));
const expected = JSON.parse(await readFile(new URL('expected.json', folder), 'utf8')) as {
  kinds: Record<string, { dtype: string; shape: number[]; values: number[] }>;
  refused: { global?: string; protocol?: number; file: string }[];
  wrapped: Record<string, string>;
};
const decoded = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

const test = suite<{ engine: Engine }>('pytorch');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 1 });
});

test.after(({ engine }) => engine.dispose());

/** A file in memory that tells what was read of it, and never gives more than it has. */
function memoryFile(bytes: Uint8Array): OpenFile & { closed: boolean; reads: [number, number][] } {
  return {
    name: 'test.bin',
    size: bytes.length,
    closed: false,
    reads: [],
    async read(start, end) {
      assert.ok(0 <= start && start <= end && end <= bytes.length, `read ${start}..${end} of ${bytes.length} bytes`);
      this.reads.push([start, end]);
      return bytes.slice(start, end);
    },
    async close() {
      this.closed = true;
    },
  };
}

const open = (bytes: Uint8Array): Promise<StoredTensors> => openPytorch(memoryFile(bytes));

async function refuses(bytes: Uint8Array, ...patterns: RegExp[]): Promise<void> {
  const file = memoryFile(bytes);
  await assertRefuses(() => openPytorch(file), 'BAD_FILE', /^test\.bin/, ...patterns);
  assert.ok(file.closed, 'a refused file is closed');
}

const six = new Uint8Array(Float32Array.from([0, 1, 2, 3, 4, 5]).buffer);

/** A stream with one tensor, `a`, of the storage "0" of six floats. */
const streamWith = (view: View, storages: Record<string, Uint8Array> = { 0: six }) => streamOf(pickle(dict(text('a'), tensor(view))), storages);

/** A zip with the same. */
const partsWith = (changes: Partial<ZipPart> = {}): ZipPart[] => [
  { name: 'any/data.pkl', data: pickle(dict(text('a'), tensor())) },
  { name: 'any/byteorder', data: bytesOf('little') },
  { name: 'any/data/0', data: six, ...changes },
  { name: 'any/version', data: bytesOf('3\n') },
];

// ---------------------------------------------------------------------------- what is read

const DTYPES: Record<string, [string, (bytes: ArrayBuffer) => ArrayLike<number | bigint>]> = {
  float64: ['F64', (b) => new Float64Array(b)], float32: ['F32', (b) => new Float32Array(b)],
  float16: ['F16', (b) => Array.from(new Uint16Array(b), half)],
  bfloat16: ['BF16', (b) => Array.from(new Uint16Array(b), (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!)],
  int64: ['I64', (b) => new BigInt64Array(b)], int32: ['I32', (b) => new Int32Array(b)], int16: ['I16', (b) => new Int16Array(b)],
  int8: ['I8', (b) => new Int8Array(b)], uint8: ['U8', (b) => new Uint8Array(b)], bool: ['BOOL', (b) => new Uint8Array(b)],
};

/** Of numbers that are no subnormals. */
function half(bits: number): number {
  return (bits & 0x8000 ? -1 : 1) * 2 ** ((bits >> 10 & 31) - 15) * (1 + (bits & 1023) / 1024);
}

for (const name of ['kinds.bin', 'kinds-stream.bin']) {
  test(`${name}: every type, and views of storages, as torch.save wrote them`, async () => {
    const opened = await open(await fixture(name));
    assert.equal(new Set(opened.tensors.keys()), new Set(Object.keys(expected.kinds)));
    for (const [tensorName, { dtype, shape, values }] of Object.entries(expected.kinds)) {
      const info = opened.tensors.get(tensorName)!;
      const [wanted, numbers] = DTYPES[dtype]!;
      assert.is(info.dtype, wanted, tensorName);
      assert.equal(info.shape, shape, tensorName);
      assert.equal(Array.from(numbers((await opened.read(tensorName)).buffer), Number), values, tensorName);
    }
    const [whole, again, rows] = ['whole', 'again', 'rows'].map((each) => opened.tensors.get(each)!);
    assert.equal([again!.start, again!.end], [whole!.start, whole!.end], 'tied tensors share their data');
    assert.is(rows!.start, whole!.start + 4 * 8);
    const starts = [...opened.tensors.values()].map(({ start }) => start);
    assert.equal(starts, [...starts].sort((a, b) => a - b), 'in the order of their data');
  });
}

test('gives ranges of a tensor', async () => {
  const opened = await open(await fixture('kinds.bin'));
  assert.equal([...new Float32Array((await opened.read('whole', 8, 16)).buffer)], [2, 3]);
  await assertRefuses(() => opened.read('whole', 8, 100), 'BAD_INPUT', /has bytes 0\.\.96, not 8\.\.100/);
  await assertRefuses(() => opened.read('missing'), 'NOT_FOUND', /tensor "missing"/);
});

test('reads no data while it opens', async () => {
  const large = new Uint8Array(4 * 1_000_000);
  const view = { storage: storage('0', 1_000_000), shape: [1000, 1000], strides: [1000, 1] };
  const stream = memoryFile(streamWith(view, { 0: large }));
  const zip = memoryFile(zipOf([{ name: 'a/data.pkl', data: pickle(dict(text('a'), tensor(view))) }, { name: 'a/data/0', data: large }]));
  for (const file of [stream, zip]) {
    const { tensors } = await openPytorch(file);
    assert.equal(tensors.get('a')!.shape, [1000, 1000]);
    const read = file.reads.reduce((sum, [start, end]) => sum + end - start, 0);
    assert.ok(read < 400_000, `${read} bytes were read`);
    assert.not(file.closed);
  }
});

test('a pickle longer than the first look at a stream', async () => {
  const names = Array.from({ length: 5000 }, (_, i) => `encoder.layer.${i}.weight`);
  const object = pickle('}(', ...names.flatMap((name) => [text(name), tensor()]), 'u');
  assert.ok(object.length > 500_000);
  assert.equal([...(await open(streamOf(object, { 0: six }))).tensors.keys()], names);
});

test('zips with sizes of 64 bits, and with a folder of any name', async () => {
  for (const wide of [false, true]) {
    const opened = await open(zipOf(partsWith(), { wide }));
    assert.equal(await opened.read('a'), six);
  }
  const renamed = partsWith().map((part) => ({ ...part, name: part.name.replace('any', 'pytorch model 1.0') }));
  assert.equal(await (await open(zipOf(renamed))).read('a'), six);
});

test('a state dict inside of a dict', async () => {
  for (const file of Object.values(expected.wrapped)) {
    const opened = await open(decoded(file));
    assert.equal([...opened.tensors.keys()], ['model.weight']);
    assert.equal([...new Float32Array((await opened.read('model.weight')).buffer)], [1, 2]);
  }
  const inner = dict(text('a'), tensor());
  await refuses(streamOf(pickle(dict(text('model'), inner, text('state_dict'), inner)), { 0: six }), /must hold one state dict, holds state_dict and model/);
  await refuses(streamOf(pickle(dict(text('net'), inner)), { 0: six }), /must hold tensors only in its state dict, "net" is none/);
  await refuses(streamOf(pickle(list(tensor())), { 0: six }), /must hold a state dict/);
  await refuses(streamOf(pickle(dict(int(1), tensor())), { 0: six }), /must have names of tensors as keys .* has 1/);
});

// ---------------------------------------------------------------------------- models

const ids = Array.from({ length: 50 }, (_, i) => 2 + (i * 7) % 38);
const config = await openAsBlob(fileURLToPath(new URL('config.json', folder)));

/** A checkpoint of the fixture's config and files of it under other names. */
function files(names: Record<string, string>): FileSource {
  return {
    async open(name) {
      if (name === 'config.json') return config;
      return Object.hasOwn(names, name) ? openAsBlob(fileURLToPath(new URL(names[name]!, folder))) : null;
    },
  };
}

async function lastHiddenState(engine: Engine, names: Record<string, string>): Promise<Float32Array> {
  await using model = await LongformerModel.fromPretrained(files(names), { engine });
  return (await model.forward({ inputIds: ids, globalTokens: [0, 20] })).lastHiddenState.data;
}

const SHARDS = {
  'pytorch_model.bin.index.json': 'pytorch_model.bin.index.json',
  'pytorch_model-00001-of-00002.bin': 'pytorch_model-00001-of-00002.bin',
  'pytorch_model-00002-of-00002.bin': 'pytorch_model-00002-of-00002.bin',
};

test('a model has the bits that it has from safetensors', async ({ engine }) => {
  for (const [safetensors, bins] of Object.entries({ f32: ['zip', 'stream', 'f64'], f16: ['f16'], bf16: ['bf16'] })) {
    const original = await lastHiddenState(engine, { 'model.safetensors': `${safetensors}.safetensors` });
    assert.ok(original.every((value) => Number.isFinite(value)));
    for (const bin of bins) assert.equal(await lastHiddenState(engine, { 'pytorch_model.bin': `${bin}.bin` }), original, bin);
  }
  const original = await lastHiddenState(engine, { 'model.safetensors': 'f32.safetensors' });
  assert.equal(await lastHiddenState(engine, SHARDS), original, 'shards');
  const narrow = await lastHiddenState(engine, { 'pytorch_model.bin': 'f16.bin' });
  assert.ok(narrow.some((value, i) => value !== original[i]), 'what is compared must be able to differ');
});

test('safetensors come first, a whole file before shards', async ({ engine }) => {
  const half = await lastHiddenState(engine, { 'model.safetensors': 'f16.safetensors' });
  assert.equal(await lastHiddenState(engine, { 'model.safetensors': 'f16.safetensors', 'pytorch_model.bin': 'zip.bin' }), half);
  assert.equal(await lastHiddenState(engine, { 'pytorch_model.bin': 'f16.bin', ...SHARDS }), half);
  const { 'pytorch_model-00002-of-00002.bin': _, ...incomplete } = SHARDS;
  await assertRefuses(() => lastHiddenState(engine, incomplete), 'NOT_FOUND', /pytorch_model-00002-of-00002\.bin must be there: pytorch_model\.bin\.index\.json lists it/);
  await assertRefuses(() => lastHiddenState(engine, {}), 'NOT_FOUND', /model\.safetensors must be there, is not, nor is pytorch_model\.bin/);
});

// ---------------------------------------------------------------------------- what is refused by its name

for (const { global: name, protocol, file } of expected.refused) {
  test(`refuses ${name ?? `a pickle of protocol ${protocol}`}`, async () => {
    if (name !== undefined) await refuses(decoded(file), new RegExp(`must name tensors and storages only in its pickle, names ${name.replaceAll('.', '\\.')}$`));
    else await refuses(streamOf(decoded(file)), protocol === 0 ? /must begin with a pickle of protocol 2/ : /must be a pickle of protocol 2, is of 4/);
  });
}

const named = (...body: Uint8Array[]): Uint8Array => streamOf(pickle(...body));

test('refuses globals however they are named', async () => {
  await refuses(named(tuple(text('x')), bytesOf('ios\nsystem\n')), /names os\.system$/); // INST
  await refuses(named(bytesOf('(cos\nsystem\no')), /names os\.system$/); // OBJ
  await refuses(named(global('os', 'system'), bytesOf(')', [0x81])), /names os\.system$/); // NEWOBJ
  await refuses(named(text('os'), text('system'), bytesOf([0x93])), /has the opcode 0x93/); // STACK_GLOBAL
  await refuses(named(bytesOf([0x82, 1])), /has the opcode 0x82/); // EXT1
  await refuses(named(bytesOf('(icollections\nOrderedDict\n')), /has the opcode 0x69/);
  await refuses(named(global('torch', 'FloatStorage\0')), /names "torch\.FloatStorage\\u0000"/);
  await refuses(named(global('__proto__', 'constructor')), /names __proto__\.constructor/);
  await refuses(named(global('', 'x'.repeat(100_000))), /names "\.x{10,80}/);
});

test('refuses calls of what is no function, and functions with other arguments', async () => {
  await refuses(named(call(global('torch', 'FloatStorage'), int(1))), /must call functions only/);
  await refuses(named(call(text('os.system'), text('ls'))), /must call functions only/);
  await refuses(named(global('collections', 'OrderedDict'), bytesOf(']R')), /must call functions with tuples/);
  await refuses(named(call(global('collections', 'OrderedDict'), int(1))), /a call in its pickle that must be OrderedDict\(\)/);
  await refuses(named(call(global('torch', 'Size'), text('x'))), /must be torch\.Size\(sizes\)/);
  await refuses(named(call(global('torch._utils', '_rebuild_parameter'), int(1))), /must be _rebuild_parameter\(tensor, \.\.\.\)/);
  for (const args of [[], [int(0)], [storage('0', 6), int(-1), tuple(), tuple()], [storage('0', 6), int(0), tuple(int(-6)), tuple(int(1))],
    [storage('0', 6), int(0), tuple(int(6)), tuple()], [storage('0', 6), int(0), list(int(6)), tuple(int(1))],
    [text('storage'), int(0), tuple(int(6)), tuple(int(1))]]) {
    await refuses(named(call(global('torch._utils', '_rebuild_tensor_v2'), ...args)), /must be _rebuild_tensor_v2\(storage, offset, size, stride, \.\.\.\)/);
  }
});

test('refuses persistent ids that are no storages', async () => {
  const type = global('torch', 'FloatStorage');
  for (const id of [text('0'), int(1), list(text('storage')), tuple(), tuple(text('module'), type, text('0'), text('cpu'), int(6)),
    tuple(text('storage'), text('FloatStorage'), text('0'), text('cpu'), int(6)), tuple(text('storage'), type, int(0), text('cpu'), int(6)),
    tuple(text('storage'), type, text('0'), text('cpu'), int(-6)), tuple(text('storage'), type, text('0'), text('cpu'), text('6')),
    tuple(text('storage'), type, text('0'), text('cpu'), int(6), tuple(text('1'), int(0), int(6)))]) {
    await refuses(named(id, bytesOf('Q')), /a persistent id in its pickle that must be \('storage', type, key, location, count\)/);
  }
  const twice = (other: Uint8Array) => pickle(dict(text('a'), tensor(), text('b'), tensor({ storage: other })));
  await refuses(streamOf(twice(storage('0', 7)), { 0: six }), /of one type and size for one storage/);
  await refuses(streamOf(twice(storage('0', 6, 'IntStorage')), { 0: six }), /of one type and size for one storage/);
});

test('refuses misuse of stack, marks and memo', async () => {
  for (const body of ['', 'R', 'Q', '\x85', '\x86', '}b', 'q\0', '(q\0', 'N(R', 'Na']) {
    await refuses(named(Uint8Array.from(body, (char) => char.charCodeAt(0))), /must not take from an empty stack|must append to lists|must give attributes/);
  }
  await refuses(named(bytesOf('t')), /must set every mark/);
  await refuses(named(bytesOf('NN')), /must leave one value/);
  await refuses(named(bytesOf('N(')), /must not take from an empty stack/);
  await refuses(named(bytesOf('h', [3])), /must put into the memo .* gets 3/);
  await refuses(named(bytesOf('j', uint(4_000_000_000, 4))), /gets 4000000000/);
  await refuses(named(bytesOf('](Nu')), /must set items of dicts only/);
  await refuses(named(bytesOf('}(Nu')), /must set items in pairs/);
  await refuses(named(bytesOf('}NNs')), /must have strings and numbers as keys/);
  await refuses(named(dict(text('a'), int(1), text('a'), int(2))), /every key of a dict once .* "a" twice/);
  await refuses(named(bytesOf('}}b')), /must give attributes to an OrderedDict only/);
  await refuses(named(bytesOf('X', uint(2, 4), [0xff, 0xfe])), /strings in UTF-8/);
});

// ---------------------------------------------------------------------------- tensors and storages

test('refuses views that are not row by row, or leave their storage', async () => {
  await refuses(streamWith({ shape: [3, 2], strides: [1, 3] }), /tensor "a" must lie row by row, has shape \[3,2\] with strides \[1,3\]/);
  await refuses(streamWith({ shape: [2, 3], strides: [0, 1] }), /must lie row by row/);
  await refuses(streamWith({ offset: 1 }), /must lie inside its storage of 6 elements, has shape \[2,3\] from element 1/);
  await refuses(streamWith({ shape: [7], strides: [1] }), /must lie inside its storage/);
  await refuses(streamWith({ shape: [2 ** 30, 2 ** 30, 2 ** 30], strides: [0, 2 ** 30, 1] }), /must lie/);
  await refuses(streamWith({ shape: [0, 2 ** 30], offset: 7, strides: [9, 9] }), /must lie inside its storage/);
  for (const view of [{ shape: [0, 2 ** 30], offset: 6, strides: [9, 9] }, { shape: [1, 6, 1], strides: [5, 1, 77] }, { shape: [], strides: [], offset: 5 }]) {
    assert.equal((await open(streamWith(view))).tensors.get('a')!.shape, view.shape);
  }
});

test('refuses tensors whose metadata changes what their data means', async () => {
  await refuses(streamWith({ metadata: dict(text('neg'), bytesOf([0x88])) }), /must be _rebuild_tensor_v2\(\.\.\.\) without metadata/);
  await refuses(streamWith({ metadata: list() }), /without metadata/);
  for (const metadata of [bytesOf(), bytesOf('N'), dict()]) assert.ok((await open(streamWith({ metadata }))).tensors.has('a'));
});

test('refuses streams whose storages are not those of their tensors', async () => {
  await refuses(streamWith({}, { 0: six.subarray(4) }), /must have 6 elements in storage "0", has 5/);
  await refuses(streamWith({}, { 1: six }), /must list the storages of its tensors, each once/);
  await refuses(streamWith({}, {}), /must have all 1 storages of its tensors, lists 0/);
  await refuses(bytesOf(streamWith({}), 'more'), /must end with its last storage/);
  await refuses(streamOf(pickle(dict()), {}, false), /must be little-endian/);
  await refuses(bytesOf(pickle(int(5)), streamWith({})), /magic number/);
});

test('refuses zips that are not as torch.save writes them', async () => {
  const refusesZip = (parts: ZipPart[], ...patterns: RegExp[]): Promise<void> => refuses(zipOf(parts), ...patterns);
  await refusesZip(partsWith({ method: 8 }), /must store entries without compression, entry "any\/data\/0" does not/);
  await refusesZip(partsWith({ flags: 1 }), /must store entries plainly/);
  await refusesZip(partsWith({ size: 20 }), /must have 24 bytes in data\/"0", has 20/);
  await refusesZip(partsWith({ size: 2 ** 31 }), /must keep entry "any\/data\/0" clear of what follows it/);
  await refusesZip(partsWith({ size: 28 }), /must keep entries clear of each other, entry "any\/data\/0" does not/);
  await refusesZip(partsWith({ start: 0 }), /must keep entry .* clear/);
  await refusesZip(partsWith({ start: 1 }), /must keep entry .* clear/);
  await refusesZip(partsWith({ localName: 'any/data/1' }), /must begin entries as its directory says/);
  await refusesZip(partsWith({ name: 'any/data/1' }), /must have every storage of its tensors, has no data\/"0"/);
  await refusesZip(partsWith({ name: 'any/version' }), /must name every entry once, "any\/version" is there twice/);
  await refusesZip(partsWith().slice(1), /must have one data\.pkl in one folder, has 0/);
  await refusesZip([...partsWith(), { ...partsWith()[0]!, name: 'other/data.pkl' }], /must have one data\.pkl in one folder, has 2/);
  await refusesZip(partsWith().map((part) => (part.name === 'any/byteorder' ? { ...part, data: bytesOf('big') } : part)), /must be little-endian, has the byte order "big"/);
  await refuses(zipOf(partsWith(), { count: 3 }), /must have 3 entries as its end says, has 4/);
  await refuses(zipOf(partsWith(), { comment: 'hidden' }), /must end as a zip does/);
  await refuses(bytesOf(zipOf(partsWith()), 'more'), /must end as a zip does/);
  const wide = zipOf(partsWith({ size: Number.MAX_SAFE_INTEGER }), { wide: true });
  await refuses(wide, /must (have entries of one size|keep entry)/);
});

test('says what other files are', async () => {
  const tar = new Uint8Array(1024);
  tar.set(new TextEncoder().encode('ustar'), 257);
  await refuses(tar, /must be a file that torch\.save wrote, is a tar/);
  await refuses(bytesOf([0x1f, 0x8b, 8, 0]), /is compressed with gzip/);
  await refuses(bytesOf('version https://git-lfs.github.com/spec/v1'), /begins with "version https:\/\/"/);
  await refuses(bytesOf(), /begins with ""/);
});

// ---------------------------------------------------------------------------- hostile sizes

/** Bytes that the heap holds more while `work` runs, at least. */
async function heapGrowth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage();
  await work();
  const after = process.memoryUsage();
  return after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
}

(globalThis.process ? test : test.skip)('sizes that a pickle claims take no memory', async () => {
  const growth = await heapGrowth(async () => {
    await refuses(named(bytesOf('X', uint(0xffff_ffff, 4))), /must have whole pickles: is the file truncated/);
    await refuses(named(bytesOf([0x8b], uint(0x7fff_ffff, 4))), /has the opcode 0x8b/); // LONG4
    await refuses(named(bytesOf([0x8d], uint(2 ** 40, 8))), /has the opcode 0x8d/); // BINUNICODE8
    await refuses(named(bytesOf([0x95], uint(2 ** 40, 8))), /has the opcode 0x95|protocol/); // FRAME
    await refuses(streamWith({ storage: storage('0', 0x7fff_ffff), shape: [0x7fff_ffff], strides: [1] }), /must have 2147483647 elements/);
  });
  assert.ok(growth < 50e6, `${growth} bytes`);
});

test('operations are limited, whatever they make', async () => {
  for (const repeated of ['}', ']', ')', 'N', '(', '}a', `]q\0h\0a`, '\x85']) {
    const body = new Uint8Array(1_000_000);
    const codes = Uint8Array.from(repeated, (char) => char.charCodeAt(0));
    for (let i = 0; i < body.length; i++) body[i] = codes[i % codes.length]!;
    await refuses(named(bytesOf('N'), body), /at most 262144 operations|must append to lists/);
  }
});

test('what is nested deeply or refers to itself is not walked', async () => {
  const deep = bytesOf('N', new Uint8Array(200_000).fill(0x85));
  await refuses(named(deep), /must hold a state dict/);
  await refuses(named(dict(text('a'), deep)), /must hold tensors only/);
  // Each list holds the one before it twice: 2^1000 leaves, were it ever copied.
  const doubling = Array.from({ length: 250 }, (_, i) => bytesOf(']q', [i + 1], 'h', [i], 'ah', [i], 'a'));
  await refuses(named(dict(text('a'), bytesOf('(]q\0', ...doubling, 't'))), /must hold tensors only/);
  await refuses(named(bytesOf('}q\0X\x04\0\0\0selfh\0s')), /must hold tensors only in its state dict, "self" is none/);
  await refuses(named(bytesOf('}q\0X\x05\0\0\0modelh\0s')), /must hold tensors only in its state dict, "model" is none/);
});

test('tensors have at most 64 axes', async () => {
  const ones = (axes: number): View => ({ shape: Array<number>(axes).fill(1), strides: Array<number>(axes).fill(1) });
  assert.is((await open(streamWith(ones(64)))).tensors.get('a')!.shape.length, 64);
  await refuses(streamWith(ones(65)), /must be _rebuild_tensor_v2\(storage, offset, size, stride, \.\.\.\) with at most 64 axes/);
  const size = (axes: number): Uint8Array => call(global('torch', 'Size'), tuple(...ones(axes).shape!.map(int)));
  await refuses(named(size(64)), /must hold a state dict/);
  await refuses(named(size(65)), /must be torch\.Size\(sizes\) with at most 64/);
});

test('one value in many places is not walked in each', async () => {
  const many = (code: string | Uint8Array, count: number): Uint8Array => bytesOf(...Array<string | Uint8Array>(count).fill(code));
  const long = bytesOf('(', many('K\x01', 100_000), 'tq\x00');
  // Called with the tuple of the memo, over and over.
  const size = bytesOf(global('torch', 'Size'), 'q\x01(h\x00tq\x02');
  await refuses(named(bytesOf('(', long, size), many('h\x01h\x02R', 40_000), bytesOf('t')), /must be torch\.Size/);
  const view = bytesOf('(', storage('0', 6), int(0), 'h\x00h\x00tq\x03');
  const rebuild = bytesOf(global('torch._utils', '_rebuild_tensor_v2'), 'q\x04');
  await refuses(named(bytesOf('(', long, view, rebuild), many('h\x04h\x03R', 40_000), bytesOf('t')), /must be _rebuild_tensor_v2/);
  // A tensor of 64 axes under 50,000 names.
  const axes = Array<number>(64).fill(1);
  const first = bytesOf(text('a'), tensor({ shape: axes, strides: axes }), 'q\x05');
  const shared = pickle('}(', first, ...Array.from({ length: 50_000 }, (_, i) => bytesOf(text(`b${i}`), 'h\x05')), 'u');
  assert.is((await open(streamOf(shared, { 0: six }))).tensors.size, 50_001);
});

// ---------------------------------------------------------------------------- damaged files

for (const name of ['kinds.bin', 'kinds-stream.bin']) {
  test(`${name}: cut anywhere it is refused`, async () => {
    const whole = await fixture(name);
    for (let length = 0; length < whole.length; length++) await refuses(whole.subarray(0, length));
  });

  test(`${name}: damaged anywhere it is refused, or read within its bounds`, async () => {
    const whole = await fixture(name);
    const next = random(name.length);
    let [refused, opened] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const damaged = whole.slice();
      for (let i = next(4); i >= 0; i--) damaged[next(whole.length)] = [0, 0xff, 0x80, next(256)][next(4)]!;
      const file = memoryFile(damaged);
      try {
        const { tensors, read } = await openPytorch(file);
        for (const { name: tensorName, start, end } of tensors.values()) {
          assert.ok(start <= end && end <= damaged.length);
          assert.is((await read(tensorName)).length, end - start);
        }
        opened++;
      } catch (error) {
        if (!(error instanceof LongformerError) || error.code !== 'BAD_FILE') throw error;
        assert.ok(error.message.length < 1000);
        assert.ok(file.closed);
        refused++;
      }
      assert.ok(file.reads.reduce((sum, [start, end]) => sum + end - start, 0) < 12 * damaged.length);
    }
    assert.ok(refused > 100 && opened > 100, `${refused} were refused, ${opened} opened`);
  });
}

/** Numbers below a limit, the same in every run. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

test.run();
