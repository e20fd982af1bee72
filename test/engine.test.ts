// The life of an engine: what keeps it alive, what ends it, what it survives.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, LongformerModel, type AttentionInput, type Engine } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';

/** Attention over `seqLen` tokens whose values are all `value`: so is its context. */
function constant(seqLen: number, value = 1, oneSidedWindow = 8): AttentionInput {
  const [numHeads, headDim] = [2, 16];
  const vectors = () => new Float32Array(seqLen * numHeads * headDim).fill(value);
  return { query: vectors(), key: vectors(), value: vectors(), seqLen, numHeads, headDim, oneSidedWindow };
}

/** Attention that takes a second or more. */
const long = (): AttentionInput => constant(60_000, 1, 2_000);

async function works(engine: Engine): Promise<void> {
  const { data } = await engine.attention(constant(20, 3));
  assert.ok(data.every((x) => Math.abs(x - 3) < 1e-5), 'the mean of equal values is that value');
}

/** A page that its server did not isolate has no shared memory. */
const hasThreads = globalThis.crossOriginIsolated !== false;

const test = suite('engine');

test('says what it runs on', async () => {
  await using engine = await createEngine({ threads: 2 });
  const { runtime, build, simd, threads, reason, memoryBytes } = engine.info;
  assert.match(runtime, /^((node|deno|bun) \d+\.\d+|(chromium|firefox|safari) \d+)/);
  assert.is(build, `${hasThreads ? 'threads' : 'single'}-${simd}`);
  assert.is(threads, hasThreads ? 2 : 1);
  assert.match(reason, hasThreads ? /shared memory is there/ : /not cross-origin isolated/);
  assert.ok(memoryBytes > 65536);
});

test('runs each build that this runtime has', async () => {
  for (const threads of [1, 2]) {
    await using engine = await createEngine({ threads, simd: 'simd128' });
    assert.is(engine.info.build, threads === 1 || !hasThreads ? 'single-simd128' : 'threads-simd128');
    await works(engine);
  }
});

test('answers calls in the order in which they were made', async () => {
  await using engine = await createEngine({ threads: 2 });
  const order: number[] = [];
  await Promise.all([5_000, 10, 1_000, 1].map(async (seqLen, i) => {
    const { dims } = await engine.attention(constant(seqLen));
    assert.is(dims[0], seqLen);
    order.push(i);
  }));
  assert.equal(order, [0, 1, 2, 3]);
});

test('copies its inputs before a call returns, and detaches none but to transfer', async () => {
  await using engine = await createEngine({ threads: 1 });
  const input = constant(50, 2);
  const pending = engine.attention(input);
  input.value.fill(7);
  assert.ok((await pending).data.every((x) => Math.abs(x - 2) < 1e-5));
  if (hasThreads) {
    const shared = { ...input, value: new Float32Array(new SharedArrayBuffer(4 * 50 * 32)).fill(5) };
    const sharedPending = engine.attention(shared);
    shared.value.fill(7);
    assert.ok((await sharedPending).data.every((x) => Math.abs(x - 5) < 1e-5), 'shared memory is copied as well');
    await assertRefuses(() => engine.attention({ ...shared, transfer: true }), 'BAD_INPUT', /transfer must be false/);
  }
  input.value.fill(2);
  await engine.attention({ ...input, transfer: true });
  assert.is(input.value.length, 0);
});

(hasThreads ? test : test.skip)('a panic in a pool worker rejects the call within a second, and nothing else', async () => {
  await using other = await createEngine({ threads: 1 });
  const engine = await createEngine({ threads: 2 });
  const start = performance.now();
  await assertRefuses(() => engine.call('panicInPool', []), 'ENGINE_DEAD', /panic on purpose in thread Some\(1\)/);
  assert.ok(performance.now() - start < 1000, 'the death is heard within a second');
  await assertRefuses(() => engine.attention(constant(5)), 'ENGINE_DEAD', /panic on purpose/);
  await works(other);
  await using again = await createEngine({ threads: 2 });
  await works(again);
});

test('a panic in the engine\'s own worker is heard too', async () => {
  const engine = await createEngine({ threads: 1 });
  const waiting = [engine.call('panicInPool', []), engine.attention(constant(5))];
  for (const call of waiting) await assertRefuses(() => call, 'ENGINE_DEAD', /panic on purpose/);
});

test('dispose rejects what is pending, and may be called twice', async () => {
  const engine = await createEngine({ threads: 2 });
  const pending = assertRefuses(() => engine.attention(long()), 'ENGINE_DEAD', /was disposed/);
  await engine.dispose();
  await pending;
  await engine.dispose();
  await assertRefuses(() => engine.attention(constant(5)), 'ENGINE_DEAD', /was disposed/);
});

test('an abort takes a waiting call out of the queue', async () => {
  await using engine = await createEngine({ threads: 2 });
  const running = engine.attention(constant(20_000, 1, 500));
  const controller = new AbortController();
  const waiting = engine.attention(constant(10), { signal: controller.signal });
  const reason = new Error('changed my mind');
  controller.abort(reason);
  assert.is(await waiting.catch((error: unknown) => error), reason);
  assert.is((await running).dims[0], 20_000);
  assert.is(await engine.attention(constant(10), { signal: controller.signal }).catch((error: unknown) => error), reason);
  await works(engine);
});

test('a lack of memory is told, and survived, with threads and without', async () => {
  for (const threads of [1, 2]) {
    await using engine = await createEngine({ threads, maxMemoryBytes: 64 * 2 ** 20 });
    await assertRefuses(() => engine.attention(constant(300_000)), 'OUT_OF_MEMORY', /memory/);
    await works(engine);
    assert.ok(engine.info.memoryBytes <= 64 * 2 ** 20);
  }
});

test('an abort does not wait for files that the caller owes', async () => {
  await using engine = await createEngine({ threads: 1 });
  const controller = new AbortController();
  const reason = new Error('no more');
  const never = { open: () => new Promise<null>(() => {}) };
  const loading = LongformerModel.fromPretrained(never, { engine, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  assert.is(await loading.catch((error: unknown) => error), reason);
  await works(engine);
});

test('an abort rejects an attention that runs already', async () => {
  await using engine = await createEngine({ threads: 2 });
  const controller = new AbortController();
  const reason = new Error('no more');
  const call = engine.attention(constant(20_000, 1, 500), { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  assert.is(await call.catch((error: unknown) => error), reason);
  await works(engine);
});

test('refuses options that cannot be met', async () => {
  await assertRefuses(() => createEngine({ threads: 0 }), 'BAD_INPUT', /threads must .* got 0/);
  await assertRefuses(() => createEngine({ threads: 1.5 }), 'BAD_INPUT', /threads must .* got 1.5/);
  await assertRefuses(() => createEngine({ maxMemoryBytes: 1 }), 'BAD_INPUT', /maxMemoryBytes must .* got 1/);
  await assertRefuses(() => createEngine({ simd: 'avx' as 'auto' }), 'BAD_INPUT', /simd must .* got "avx"/);
  await assertRefuses(() => createEngine({ wasm: new URL('/nowhere', import.meta.url) }), 'NOT_FOUND', /nowhere\/\w+-\w+\/longformer_bg/);
  await assertRefuses(
    () => createEngine({ workerUrl: new URL('/nowhere/worker.js', import.meta.url) }), 'ENGINE_DEAD', /worker failed/,
  );
});

test.run();
