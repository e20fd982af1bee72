// An index that is kept in a file: comes back as it was, whole or not at all, with its own checkpoint alone.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer, createEngine, LongformerError, SearchIndex, type Engine, type KeptIndexOptions, type Progress } from 'longformer-wasm';
import { writeSafetensors, type TensorToWrite } from '../dist/files/safetensors-writer.js';
import { assertRefuses } from './rejects.ts';

const test = suite<{ root: string; checkpoint: string; engine: Engine; file: string; bytes: Uint8Array<ArrayBuffer> }>('kept search index');

const documents = [
  { id: 'a', text: 'first of all\n\nthe \u{1f600} of a b c d e f g h i j k l m n o p\n\nlast of them', version: '2026-11-24' },
  { id: 'empty', text: '' },
  { id: 'päth/ü.md', text: '\ufeffé à la carte, x y z' },
];
const passages = { by: 'tokens', maxTokens: 16, overlap: 2 } as const;

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'kept-'));
  context.checkpoint = join(context.root, 'model');
  context.file = join(context.root, 'index');
  await convertToLongformer(new URL('./fixtures/tiny-bert/', import.meta.url), context.checkpoint, { maxPositions: 100, attentionWindow: 8 });
  context.engine = await createEngine({ threads: 1 });
  const index = await SearchIndex.create(context.checkpoint, { engine: context.engine, passages, attentionWindow: 12 });
  await index.add(documents);
  await index.save(context.file);
  await index.dispose();
  context.bytes = new Uint8Array(await readFile(context.file));
});

test.after(async ({ root, engine }) => {
  await engine.dispose();
  await rm(root, { recursive: true });
});

async function withKept(file: string | URL | Blob, options: KeptIndexOptions, work: (index: SearchIndex) => Promise<void>): Promise<void> {
  const index = await SearchIndex.load(file, options);
  try {
    await work(index);
  } finally {
    await index.dispose();
  }
}

const concatenated = (pieces: readonly Uint8Array[]): Promise<ArrayBuffer> => new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer();

// ---------------------------------------------------------------------------- there and back

test('comes back as it was: documents, scores to the bit, and the way it reads', async ({ engine, checkpoint, file }) => {
  for (const place of [file, pathToFileURL(file) as URL]) {
    const fresh = await SearchIndex.create(checkpoint, { engine, passages, attentionWindow: 12 });
    await fresh.add(documents);
    await withKept(place, { engine }, async (kept) => {
      const assertSame = async (): Promise<void> => assert.equal(await kept.search('c d e'), await fresh.search('c d e'));
      assert.equal(await kept.documents(), await fresh.documents());
      for (const { id } of documents) assert.equal(await kept.get(id), await fresh.get(id));
      await assertSame();
      assert.ok((await kept.search('c d e')).length > 2);
      const more = { id: 'more', text: 'a b c d e f g h i j k l m n o p q r s t u v w x y z' };
      assert.equal((await kept.add([documents[0]!, more])).map(({ unchanged }) => unchanged), [true, false]);
      await fresh.add([more]);
      await assertSame();
      for (const index of [kept, fresh]) assert.is(await index.remove('a'), true);
      await assertSame();
    });
    await fresh.dispose();
  }
});

test('goes through a stream and a Blob where there are no files', async ({ engine, checkpoint, bytes }) => {
  const pieces: Uint8Array[] = [];
  let closed = false;
  const stream = new WritableStream<Uint8Array>({ write: (piece) => void pieces.push(piece), close: () => void (closed = true) });
  await withKept(new Blob([bytes]), { engine, source: checkpoint }, async (index) => {
    await index.save(stream);
  });
  assert.ok(closed && !stream.locked);
  assert.equal(new Uint8Array(await concatenated(pieces)), bytes, 'the same file again');
});

test('an empty index is kept too, and a new file takes the place of the old one', async ({ engine, checkpoint, root }) => {
  const path = join(root, 'folder that is made', 'empty');
  const index = await SearchIndex.create(checkpoint, { engine });
  await index.save(path);
  await withKept(path, { engine }, async (kept) => assert.equal(await kept.search('a'), []));
  await index.add(documents);
  await index.save(path);
  await index.dispose();
  await withKept(path, { engine }, async (kept) => assert.is((await kept.documents()).length, 3));
  assert.equal(await readdir(join(root, 'folder that is made')), ['empty'], 'nothing beside it');
});

test('tells its progress in bytes, both ways', async ({ engine, file, bytes }) => {
  const seen: Progress[] = [];
  const onProgress = (progress: Progress): void => void seen.push(progress);
  await withKept(file, { engine, onProgress }, (index) => index.save(`${file} again`, { onProgress }));
  for (const [stage, name] of [['load', file], ['save', undefined]] as const) {
    const own = seen.filter((progress) => progress.stage === stage && progress.name === name);
    assert.ok(own.length > 0 && own.every(({ done, total, unit }, i) => done >= (own[i - 1]?.done ?? 0) && total === bytes.length && unit === 'bytes'), stage);
    assert.is(own.at(-1)!.done, bytes.length, stage);
  }
});

test('what changes while it is written is no part of the file', async ({ engine, checkpoint, bytes }) => {
  const index = await SearchIndex.create(checkpoint, { engine, passages, attentionWindow: 12 });
  await index.add(documents);
  const pieces: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({
    async start() {
      await index.remove('a');
      await index.add([{ id: 'new', text: 'a b c' }]);
    },
    write: (piece) => void pieces.push(piece),
  });
  await index.save(stream); // begins before the removal, as calls are served in their order
  const removedBefore = (await concatenated(pieces)).byteLength !== bytes.length;
  pieces.length = 0;
  let changed: Promise<unknown> = Promise.resolve();
  const late = index.save(new WritableStream<Uint8Array>({
    write(piece) {
      pieces.push(piece);
      changed = Promise.all([index.remove('päth/ü.md'), index.search('a')]);
    },
  }));
  await late;
  await changed;
  assert.ok(removedBefore);
  await withKept(new Blob(pieces as Uint8Array<ArrayBuffer>[]), { engine, source: checkpoint }, async (kept) => {
    assert.equal((await kept.documents()).map(({ id }) => id), ['empty', 'päth/ü.md', 'new']);
  });
  assert.equal((await index.documents()).map(({ id }) => id), ['empty', 'new']);
  await index.dispose();
});

/** Few tokens, and texts that take a piece of a file each. */
const wide = ['w', 'x', 'y', 'z'].map((id) => ({ id, text: `a b${' '.repeat(2 ** 20)}c` }));

test('between two pieces of a file documents may go, and an abort leaves the old file', async ({ engine, checkpoint, root }) => {
  const index = await SearchIndex.create(checkpoint, { engine, passages, attentionWindow: 12 });
  await index.add([...documents, ...wide]);
  const whole: Uint8Array[] = [];
  await index.save(new WritableStream({ write: (piece: Uint8Array) => void whole.push(piece) }));
  assert.ok(whole.length > 3, 'there are several pieces');

  const target = join(root, 'interrupted');
  await writeFile(target, 'old');
  const controller = new AbortController();
  const reason = new Error('enough');
  let thrown: unknown;
  await index.save(target, { signal: controller.signal, onProgress: () => controller.abort(reason) }).catch((error: unknown) => (thrown = error));
  assert.is(thrown, reason);
  assert.is(await readFile(target, 'utf8'), 'old');

  const pieces: Uint8Array[] = [];
  await index.save(new WritableStream({
    async write(piece: Uint8Array) {
      if (pieces.push(piece) > 1) return;
      await index.remove('a');
      for (const { id } of wide) await index.remove(id);
      await index.add([{ id: 'new', text: 'c b a '.repeat(40) }]); // takes memory that would be free
    },
  }));
  assert.equal(await concatenated(pieces), await concatenated(whole));
  assert.equal((await index.documents()).map(({ id }) => id), ['empty', 'päth/ü.md', 'new']);
  await index.dispose();
});

test('an engine in this thread that ends while an index is written lets it go', async ({ checkpoint }) => {
  const engine = await createEngine({ worker: false });
  const index = await SearchIndex.create(checkpoint, { engine, passages, attentionWindow: 12 });
  await index.add(wide);
  await assertRefuses(() => index.save(new WritableStream({ write: () => engine.dispose() })), 'ENGINE_DEAD', /disposed/);
});

// ---------------------------------------------------------------------------- whole or not at all

test('a stream that fails, an abort and a directory leave everything as it was', async ({ engine, file, root }) => {
  await withKept(file, { engine }, async (index) => {
    const disk = new Error('the disk is full');
    let thrown: unknown;
    await index.save(new WritableStream({ write: () => { throw disk; } })).catch((error: unknown) => (thrown = error));
    assert.is(thrown, disk);

    const target = join(root, 'aborted');
    const reason = new Error('enough');
    await index.save(target, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => (thrown = error));
    assert.is(thrown, reason);

    await mkdir(join(root, 'directory'));
    await assertRefuses(() => index.save(join(root, 'directory')), 'BAD_INPUT', /directory/);
    assert.equal((await readdir(root)).filter((name) => name.includes('partial')), []);
    const locked = new WritableStream();
    locked.getWriter();
    await assertRefuses(() => index.save(locked), 'BAD_INPUT', /nobody else/);
    for (const target of [1, null, '', new URL('https://example.org/')]) await assertRefuses(() => index.save(target as never), 'BAD_INPUT', /target/);
    assert.is((await index.documents()).length, 3, 'and the index goes on');
  });
  for (const wrong of [1, null, '', new URL('https://example.org/')]) await assertRefuses(() => SearchIndex.load(wrong as never), 'BAD_INPUT', /file/);
  await assertRefuses(() => SearchIndex.load(join(root, 'none')), 'NOT_FOUND', /none/);
});

// ---------------------------------------------------------------------------- its own checkpoint alone

test('refuses a checkpoint that gives other vectors, and options that it was not made with', async ({ engine, file, checkpoint, root, bytes }) => {
  // Of the same shapes, and four of its weights are others.
  const changed = join(root, 'changed');
  await cp(checkpoint, changed, { recursive: true });
  const weights = await readFile(join(changed, 'model.safetensors'));
  const header = JSON.parse(weights.toString('utf8', 8, 8 + Number(weights.readBigUInt64LE()))) as Record<string, { data_offsets: [number, number] }>;
  const [name] = Object.keys(header).filter((key) => key.endsWith('embeddings.LayerNorm.weight'));
  const at = 8 + Number(weights.readBigUInt64LE()) + header[name!]!.data_offsets[0];
  for (let i = 0; i < 16; i += 4) weights.writeFloatLE(-weights.readFloatLE(at + i), at + i);
  await writeFile(join(changed, 'model.safetensors'), new Uint8Array(weights));
  await assertRefuses(() => SearchIndex.load(file, { engine, source: changed }), 'BAD_FILE', /checkpoint that it was made with/, /changed/, /cosine/);
  // The same weights kept otherwise will do.
  await withKept(file, { engine, dtype: 'f16' }, async (index) => assert.is((await index.documents()).length, 3));

  const load = (options: KeptIndexOptions) => () => SearchIndex.load(file, { engine, ...options });
  await assertRefuses(load({ vectors: 'late' }), 'BAD_INPUT', /vectors/, /"both"/, /"late"/);
  await assertRefuses(load({ passages: { by: 'sentence' } }), 'BAD_INPUT', /passages\.by/, /"tokens"/, /"sentence"/);
  await assertRefuses(load({ attentionWindow: 8 }), 'BAD_INPUT', /attentionWindow/, /12/, /8/);
  await withKept(file, { engine, vectors: 'both', passages: { maxTokens: 16 }, attentionWindow: 12 }, async () => {});
  await assertRefuses(() => SearchIndex.load(new Blob([bytes]), { engine, source: join(root, 'no such') }), 'NOT_FOUND', /no such/);
});

test('calls no address on the word of a file', async ({ engine, file }) => {
  const changed = await rewritten(file, ({ settings }) => ({ ...settings, checkpoint: { source: 'http://localhost:9/model', revision: null } }));
  await assertRefuses(() => SearchIndex.load(changed, { engine }), 'BAD_INPUT', /source/, /localhost:9/);
  const nameless = await rewritten(file, ({ settings }) => ({ ...settings, checkpoint: null }));
  await assertRefuses(() => SearchIndex.load(nameless, { engine }), 'BAD_INPUT', /source/);
});

// ---------------------------------------------------------------------------- files that are none

interface Parts {
  settings: Record<string, unknown>;
  metadata: Record<string, string>;
  tensors: Map<string, { dtype: TensorToWrite['dtype']; shape: number[]; data: Uint8Array }>;
}

/** The file with something changed, as a Blob. */
async function rewritten(file: string, change: (parts: Parts) => Record<string, unknown> | void): Promise<Blob> {
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: metadata, ...header } = JSON.parse(bytes.toString('utf8', 8, start)) as
    { __metadata__: Record<string, string> } & Record<string, { dtype: TensorToWrite['dtype']; shape: number[]; data_offsets: [number, number] }>;
  const parts: Parts = {
    metadata,
    settings: JSON.parse(metadata['settings']!) as Record<string, unknown>,
    tensors: new Map(Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) =>
      [name, { dtype, shape, data: Uint8Array.from(bytes.subarray(start + from, start + to)) }])),
  };
  const settings = change(parts) ?? parts.settings;
  const pieces: Uint8Array[] = [];
  const tensors = [...parts.tensors].map(([name, { data, ...rest }]) => ({ name, ...rest, chunks: () => [data] }));
  for await (const piece of writeSafetensors(tensors, { ...parts.metadata, settings: JSON.stringify(settings) })) pieces.push(new Uint8Array(piece));
  return new Blob(pieces as Uint8Array<ArrayBuffer>[]);
}

/** Changes the list of documents. */
function entries({ tensors }: Parts, change: (list: Record<string, unknown>[]) => unknown): void {
  const list = JSON.parse(new TextDecoder().decode(tensors.get('documents')!.data)) as Record<string, unknown>[];
  const data = new TextEncoder().encode(JSON.stringify(change(list) ?? list));
  tensors.set('documents', { dtype: 'U8', shape: [data.length], data });
}

const floats = (parts: Parts, name: string): Float32Array => new Float32Array(parts.tensors.get(name)!.data.buffer as ArrayBuffer);
const spans = (parts: Parts): Uint32Array => new Uint32Array(parts.tensors.get('spans')!.data.buffer as ArrayBuffer);

const HOSTILE: [what: string, change: (parts: Parts) => Record<string, unknown> | void, rule: RegExp][] = [
  ['another format', ({ metadata }) => void (metadata['format'] = 'pt'), /search index/],
  ['a later version', ({ metadata }) => void (metadata['version'] = '2'), /version 1.*"2"/],
  ['no settings', () => [] as never, /settings/],
  ['odd passages', ({ settings }) => ({ ...settings, passages: { by: 'word', maxTokens: 16, overlap: 0 } }), /passages/],
  ['passages that are too large for the checkpoint', ({ settings }) => ({ ...settings, passages: { ...passages, maxTokens: 1000 } }), /fit the checkpoint.*1000/],
  ['odd vectors', ({ settings }) => ({ ...settings, vectors: 'all' }), /vectors/],
  ['an odd window', ({ settings }) => ({ ...settings, attentionWindow: [7] }), /attentionWindow.*even.*7/],
  ['a window for other layers', ({ settings }) => ({ ...settings, attentionWindow: [8] }), /fit the checkpoint.*attentionWindow/],
  ['odd names of layers', ({ settings }) => ({ ...settings, modulesToNotConvert: 'dense' }), /modulesToNotConvert/],
  ['names of no layers', ({ settings }) => ({ ...settings, modulesToNotConvert: ['dens'] }), /modulesToNotConvert/],
  ['an odd dtype', ({ settings }) => ({ ...settings, dtype: 'f64' }), /dtype/],
  ['an odd checkpoint', ({ settings }) => ({ ...settings, checkpoint: { source: 3 } }), /checkpoint/],
  ['an odd revision', ({ settings }) => ({ ...settings, checkpoint: { source: 'org/name', revision: '../x' } }), /revision/],
  ['no vectors', ({ tensors }) => void tensors.delete('vectors'), /vectors/],
  ['a tensor too many', ({ tensors }) => void tensors.set('more', { dtype: 'U8', shape: [0], data: new Uint8Array() }), /tensors/],
  ['vectors of another size than the probe', ({ tensors }) => void (tensors.get('probe')!.shape = [tensors.get('probe')!.data.length / 4, 1]), /vectors/],
  ['no list', (parts) => entries(parts, () => ({})), /list/],
  ['a document twice', (parts) => entries(parts, (list) => void (list[1]!['id'] = 'a')), /"a"/],
  ['a document without a size', (parts) => entries(parts, (list) => void delete list[0]!['bytes']), /bytes/],
  ['a negative size', (parts) => entries(parts, (list) => { list[0]!['passages'] = -1; }), /passages/],
  ['a document too many', (parts) => entries(parts, (list) => [...list, { ...list[0], id: 'x' }]), /documents for/],
  ['a document too few', (parts) => entries(parts, (list) => list.slice(1)), /documents for/],
  ['sizes that are moved between documents', (parts) => entries(parts, (list) => {
    list[0]!['bytes'] = (list[0]!['bytes'] as number) + (list[2]!['bytes'] as number);
    list[2]!['bytes'] = 0;
  }), /inside their text/],
  ['text that is cut inside a character', (parts) => entries(parts, (list) => {
    list[0]!['bytes'] = (list[0]!['bytes'] as number) + 1;
    list[2]!['bytes'] = (list[2]!['bytes'] as number) - 1;
  }), /UTF-8/],
  ['a passage beyond its text', (parts) => void (spans(parts)[1] = 10000), /inside their text.*10000/],
  ['a passage that ends before it starts', (parts) => void (spans(parts)[0] = spans(parts)[1]!), /inside their text/],
  ['a long vector', (parts) => void (floats(parts, 'vectors')[3] = 2), /length one/],
  ['a vector that is none', (parts) => void (floats(parts, 'vectors')[3] = NaN), /length one/],
  ['another probe', (parts) => void floats(parts, 'probe').fill(1), /cosine/],
  ['a probe that is none', (parts) => void floats(parts, 'probe').fill(NaN), /cosine/],
];

for (const [what, change, rule] of HOSTILE) {
  test(`refuses a file with ${what}`, async ({ engine, file }) => {
    const blob = await rewritten(file, change);
    await assertRefuses(() => SearchIndex.load(blob, { engine }), 'BAD_FILE', rule);
  });
}

test('refuses a file that is cut anywhere', async ({ engine, bytes }) => {
  for (let length = 0; length < bytes.length; length += 97) {
    let thrown: unknown;
    await SearchIndex.load(new Blob([bytes.subarray(0, length)]), { engine }).catch((error: unknown) => (thrown = error));
    assert.ok(thrown instanceof LongformerError && thrown.code === 'BAD_FILE', `${length}: ${String(thrown)}`);
  }
});

test.run();
