// What differs between runtimes, as far as one runtime can show it: an engine in its caller's thread,
// one without shared memory, limits of memory that are refused, names.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from 'node:fs/promises';
import { createEngine, LongformerModel, type AttentionInput, type Engine } from 'longformer-wasm';
import { chooseBuild } from '../dist/engine/builds.js';
import { interruptions } from '../dist/engine/interruption.js';
import { takeMemory } from '../dist/engine/memory.js';
import { browserName } from '../dist/platform/runtime.js';
import { runProgram } from './program.ts';
import { assertRefuses } from './rejects.ts';

const GiB = 2 ** 30;

/** Attention over `seqLen` tokens whose values are all `value`: so is its context. */
function constant(seqLen: number, value = 1): AttentionInput {
  const vectors = () => new Float32Array(seqLen * 32).fill(value);
  return { query: vectors(), key: vectors(), value: vectors(), seqLen, numHeads: 2, headDim: 16, oneSidedWindow: 8 };
}

async function works(engine: Engine): Promise<void> {
  const { data } = await engine.attention(constant(20, 3));
  assert.ok(data.every((x) => Math.abs(x - 3) < 1e-5), 'the mean of equal values is that value');
}

const shipped = (build: string): Promise<Uint8Array<ArrayBuffer>> =>
  readFile(new URL(`../pkg/${build}/longformer_bg.wasm`, import.meta.url)).then((bytes) => new Uint8Array(bytes));

const tiny = new URL('fixtures/tiny-longformer/', import.meta.url);
const sequence = { inputIds: [0, 5, 6, 7, 2], globalTokens: [0] };

const test = suite('platforms');

test('runs in the calling thread, with the numbers of a worker', async () => {
  await using here = await createEngine({ worker: false, threads: 2 });
  assert.match(here.info.build, /^single-/);
  assert.is(here.info.threads, 1);
  assert.match(here.info.reason, /runs in the calling one/);
  await works(here);
  await using there = await createEngine({ threads: 1 });
  const outputs = await Promise.all([here, there].map(async (engine) => {
    const model = await LongformerModel.fromPretrained(tiny, { engine });
    return (await model.forward(sequence)).lastHiddenState.data;
  }));
  assert.equal(outputs[0], outputs[1]);
});

test('several engines in the calling thread have nothing in common', async () => {
  const broken = await createEngine({ worker: false });
  await using other = await createEngine({ worker: false });
  const model = await LongformerModel.fromPretrained(tiny, { engine: other });
  await assertRefuses(() => broken.call('panicInPool', []), 'ENGINE_DEAD', /panic on purpose/);
  await assertRefuses(() => broken.attention(constant(5)), 'ENGINE_DEAD', /panic on purpose/);
  await works(other);
  await broken.dispose();
  assert.is((await model.forward(sequence)).lastHiddenState.dims[0], 5);
});

test('in the calling thread calls come in order, and what waits can be aborted', async () => {
  await using engine = await createEngine({ worker: false });
  const controller = new AbortController();
  const reason = new Error('no more');
  const order: number[] = [];
  const calls = [300, 1].map((seqLen) => engine.attention(constant(seqLen)).then(() => order.push(seqLen)));
  const aborted = engine.attention(constant(2), { signal: controller.signal }).catch((error: unknown) => error);
  controller.abort(reason);
  assert.is(await aborted, reason);
  await Promise.all(calls);
  assert.equal(order, [300, 1]);
  const never = { open: () => new Promise<null>(() => {}) };
  const again = new AbortController();
  const loading = LongformerModel.fromPretrained(never, { engine, signal: again.signal });
  setTimeout(() => again.abort(reason), 20);
  assert.is(await loading.catch((error: unknown) => error), reason);
  await works(engine);
});

test('disposing of an engine in the calling thread rejects what is pending, and lets its memory go', async () => {
  const engine = await createEngine({ worker: false });
  const pending = assertRefuses(() => engine.attention(constant(5)), 'ENGINE_DEAD', /was disposed/);
  await engine.dispose();
  await pending;
  // Each has a model that is not disposed of, and some 80 MB.
  const cycle = async (): Promise<number> => {
    await using engine = await createEngine({ worker: false });
    await LongformerModel.fromPretrained(tiny, { engine });
    await engine.attention(constant(100_000));
    return process.memoryUsage.rss() / 2 ** 20;
  };
  const before = await cycle();
  for (let i = 0; i < 8; i++) await cycle();
  const after = await cycle();
  assert.ok(after < before + 400, `${after} MB after 10 cycles, ${before} MB after the first`);
});

test('without shared memory there is one thread, and an abort is a message', async () => {
  const { stdout } = await runProgram(`
    import 'node:worker_threads'; // which needs it itself
    delete globalThis.SharedArrayBuffer;
    const { createEngine, LongformerModel } = await import('longformer-wasm');
    const engine = await createEngine({ threads: 2 });
    console.log(engine.info.build.split('-')[0], engine.info.threads, engine.info.reason.split('; ')[1]);
    const controller = new AbortController();
    setTimeout(() => controller.abort('no more'), 50);
    const never = { open: () => new Promise(() => {}) };
    await LongformerModel.fromPretrained(never, { engine, signal: controller.signal }).catch((error) => console.log(error));
    await LongformerModel.fromPretrained(new URL(${JSON.stringify(tiny.href)}), { engine }).then(({ maxTokens }) => console.log(maxTokens > 0));
  `);
  assert.equal(stdout.split('\n'), ['single 1 there is no shared memory: one thread', 'no more', 'true', '']);
});

test('runs a module that was compiled elsewhere', async () => {
  const single = await WebAssembly.compile(await shipped('single-simd128'));
  for (const worker of [true, false]) {
    await using engine = await createEngine({ wasm: single, worker });
    assert.is(engine.info.build, 'single-simd128');
    assert.match(engine.info.reason, /given/);
    await works(engine);
  }
  const threads = await WebAssembly.compile(await shipped('threads-simd128'));
  await using engine = await createEngine({ wasm: threads, threads: 2 });
  assert.is(engine.info.build, 'threads-simd128');
  await works(engine);
  await assertRefuses(() => createEngine({ wasm: threads, worker: false }), 'BAD_INPUT', /wasm must be a build for one thread here: .*calling/);
  const empty = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  await assertRefuses(() => createEngine({ wasm: empty }), 'BAD_INPUT', /wasm must be a build of the crate/);
});

test('every turn does a unit of work, however long it was until it asks', async () => {
  const turns = interruptions(null);
  const late = (): void => {
    for (const end = performance.now() + 40; performance.now() < end;);
  };
  for (let turn = 0; turn < 3; turn++) {
    late();
    assert.is(turns.isWanted(), false, 'the first unit');
    late();
    assert.is(turns.isWanted(), true, 'messages are due');
    await turns.pause();
  }
});

test('refuses a worker that cannot be made, and finds builds beside a query', async () => {
  if (process.versions.bun === undefined) await assertRefuses(() => createEngine({ workerUrl: new URL('https://example.org/worker.js') }), 'ENGINE_DEAD', /worker/);
  const { build } = chooseBuild({ simd: 'simd128', threads: 1, wasm: new URL('https://example.org/pkg/?v=2') });
  assert.is(String(build.wasm), 'https://example.org/pkg/single-simd128/longformer_bg.wasm?v=2');
});

test('says why there is one thread', () => {
  const why = (threads: number): string => chooseBuild({ simd: 'simd128', threads }).reason;
  assert.match(why(2), /asked for; shared memory is there$/);
  assert.match(why(1), /one thread was asked for/);
  const page = globalThis as { crossOriginIsolated?: boolean | undefined };
  const before = Object.getOwnPropertyDescriptor(page, 'crossOriginIsolated');
  try {
    Object.defineProperty(page, 'crossOriginIsolated', { value: false, configurable: true });
    assert.match(why(2), /; the page is not cross-origin isolated: one thread$/);
    assert.is(chooseBuild({ simd: 'simd128', threads: 2 }).build.name, 'single-simd128');
  } finally {
    delete page.crossOriginIsolated;
    if (before !== undefined) Object.defineProperty(page, 'crossOriginIsolated', before);
  }
});

test('takes relaxed instructions where they mean what is known, and gain something', () => {
  const { Instance, Module, validate } = WebAssembly;
  /** A runtime whose relaxed instructions give these results. */
  const chosen = (results: object, simd: 'auto' | 'relaxed' = 'auto'): [string, string] => {
    Object.assign(WebAssembly, { validate: () => true, Module: class {}, Instance: class { exports = results; } });
    try {
      const { build, reason } = chooseBuild({ simd, threads: 1 });
      return [build.simd, reason];
    } finally {
      Object.assign(WebAssembly, { validate, Module, Instance });
    }
  };
  const results = (product: number, fused: number): object => ({ product: () => product, fused: () => fused });
  assert.is(chosen(results(256, 1))[0], 'relaxed', 'x64');
  assert.is(chosen(results(-256, 1))[0], 'relaxed', 'ARM');
  assert.is(chosen(results(256, 0))[0], 'simd128', 'rounds twice');
  assert.match(chosen(results(256, 0))[1], /^relaxed multiply-add rounds twice/);
  assert.is(chosen(results(256, 0), 'relaxed')[0], 'relaxed', 'rounds twice, asked for');
  assert.is(chosen(results(512, 1))[0], 'simd128', 'twice what it should be, as in an old V8');
  assert.match(chosen(results(512, 1))[1], /^relaxed products of 8 bits/);
  assert.throws(() => chosen(results(512, 1), 'relaxed'), /^simd must be "auto" or "simd128" here: relaxed products/);
});

test('takes the largest memory that is granted, or exactly the one that was asked for', async () => {
  const asked: number[] = [];
  const grant = (most: number) => ({ maximum, initial }: WebAssembly.MemoryDescriptor): WebAssembly.Memory => {
    asked.push(maximum! * 65536);
    if (maximum! * 65536 > most) throw new RangeError('could not allocate memory');
    return new WebAssembly.Memory({ initial, maximum: initial });
  };
  assert.is(takeMemory(null, true, grant(GiB)).maxMemoryBytes, GiB);
  assert.equal(asked.splice(0), [4 * GiB, 2 * GiB, GiB]);
  await assertRefuses(async () => takeMemory(null, true, grant(0)), 'OUT_OF_MEMORY', /refuses shared memory of up to 268435456 bytes: could not/);
  assert.is(asked.splice(0).length, 5);
  await assertRefuses(async () => takeMemory(2 * GiB, true, grant(GiB)), 'OUT_OF_MEMORY', /maxMemoryBytes must be granted .* 2147483648 bytes/);
  assert.equal(asked, [2 * GiB]);
  await using engine = await createEngine({ threads: 1, maxMemoryBytes: 64 * 2 ** 20 });
  assert.is(engine.info.maxMemoryBytes, 64 * 2 ** 20);
});

test('names browsers', () => {
  const names = {
    'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0': 'firefox 153',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36': 'chromium 156',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.2 Safari/605.1.15': 'safari 26.2',
    'Cloudflare-Workers': 'Cloudflare-Workers',
    '': 'an unknown runtime',
  };
  for (const [userAgent, name] of Object.entries(names)) assert.is(browserName(userAgent), name);
});

test('refuses options that mean nothing here', async () => {
  await assertRefuses(() => createEngine({ worker: 'no' as unknown as boolean }), 'BAD_INPUT', /worker must be true or false, got "no"/);
  await assertRefuses(() => createEngine({ wasm: 'pkg' as unknown as URL }), 'BAD_INPUT', /wasm must be a URL or a module, got "pkg"/);
  await assertRefuses(() => createEngine({ workerUrl: 'worker.js' as unknown as URL }), 'BAD_INPUT', /workerUrl must be a URL, got/);
});

test.run();
