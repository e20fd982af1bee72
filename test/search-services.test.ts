// What an index keeps of the documents it reads, seen from inside: its services, run in this process.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer } from 'longformer-wasm';
import { loadGlue } from '../dist/engine/glue.js';
import type { Run } from '../dist/engine/services.js';
import { openSource } from '../dist/files/open.js';
import { addDocuments, createIndex, disposeIndex, searchIndex } from '../dist/search/services.js';

const module = new URL('../pkg/single-simd128/longformer_bg.wasm', import.meta.url);
const instantiate = await loadGlue(false);
const wasm = instantiate(await WebAssembly.compile(new Uint8Array(await readFile(module))), new WebAssembly.Memory({ initial: 64, maximum: 65536 }));

/** Vectors that are alive, the data that they were made of, and how many may be made yet. */
const vectors = { alive: 0, made: [] as WeakRef<Float32Array>[], left: Infinity };

class UnitVectors extends wasm.UnitVectors {
  constructor(hidden: number, data: Float32Array) {
    if (vectors.left-- <= 0) throw new Error('no more');
    super(hidden, data);
    vectors.alive += 1;
    vectors.made.push(new WeakRef(data));
  }

  override free(): void {
    vectors.alive -= 1;
    super.free();
  }
}

let opened = 0;
const open: Run['open'] = (location) => (opened += 1, openSource(location!.source));
const run = { wasm: { ...wasm, UnitVectors }, checkAbort() {}, async pause() {}, progress() {}, onEnd() {}, open } as unknown as Run;

const test = suite<{ root: string; id: number }>('search services');

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'search-'));
  await convertToLongformer(new URL('./fixtures/tiny-bert/', import.meta.url), join(context.root, 'model'), { maxPositions: 100, attentionWindow: 8 });
  context.id = await createIndex(run, { source: join(context.root, 'model') }, { passages: { maxTokens: 16 }, vectors: 'both', attentionWindow: null, dtype: 'f32', modulesToNotConvert: [] });
  assert.is(opened, 1, 'the files of one load are of one source');
});

test.after(async ({ root, id }) => {
  disposeIndex(run, id);
  await rm(root, { recursive: true });
});

const documents = ['a', 'b', 'c'].map((id) => ({ id, text: `${id} d e f g h` }));

test('of all documents or none, and no vectors are left behind', async ({ id }) => {
  await addDocuments(run, id, [{ id: 'a', text: 'x y z' }]);
  const before = await searchIndex(run, id, 'a', 10);
  for (const left of [0, 1, 2, 3, 5]) {
    vectors.left = left;
    const error: unknown = await addDocuments(run, id, documents).catch((error: unknown) => error);
    assert.match(String(error), /no more/);
    vectors.left = Infinity;
    assert.is(vectors.alive, 1);
    assert.equal(await searchIndex(run, id, 'a', 10), before);
  }
});

function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(now: boolean): void } };
  if (Bun) return Bun.gc(true);
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('keeps vectors, and nothing that they were read from', async ({ id }) => {
  vectors.made.length = 0;
  await addDocuments(run, id, documents);
  assert.is(vectors.made.length, 6);
  const alive = (): number => vectors.made.filter((data) => data.deref() !== undefined).length;
  // Bun's collector takes for a reference whatever an old frame of the stack has left.
  for (let turn = 0; turn < 50 && alive() > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, turn));
    collectGarbage();
  }
  assert.is(alive(), 0);
});

test.run();
