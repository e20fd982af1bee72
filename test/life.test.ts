// What ends early: calls that are aborted while they compute, and engines whose workers die. What is
// left behind gives the same bits as before, and holds no more memory.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';
import { createEngine, LongformerModel, type AttentionInput, type Engine, type EngineOptions, type Progress } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';
import { writeRandom } from './random-checkpoint.ts';

const sizes = {
  vocab_size: 200, hidden_size: 256, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 1024, attention_window: 128,
  max_position_embeddings: 50_002,
};

/** How an abort reaches what computes: a flag that all threads see, one that one thread sees, messages. */
const kinds: Record<string, EngineOptions> = {
  'with threads': { threads: 2 }, 'with one thread': { threads: 1 }, 'with messages only': { worker: false },
};

const test = suite<{ folder: string }>('life');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'life-'));
  await writeRandom(context.folder, sizes);
});

test.after(({ folder }) => rm(folder, { recursive: true }));

const ids = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => 3 + (i * i * 7 + i) % 190);

/** A text of some seconds. */
const long = { inputIds: ids(50_000), globalTokens: [0] };

/** Attention of some seconds. */
function longAttention(): AttentionInput {
  const [seqLen, numHeads, headDim] = [60_000, 2, 16];
  const vectors = (): Float32Array => new Float32Array(seqLen * numHeads * headDim).fill(1);
  return { query: vectors(), key: vectors(), value: vectors(), seqLen, numHeads, headDim, oneSidedWindow: 2_000 };
}

/** Aborts a call when it says how far it is. It must reject with the reason. Gives what else it said of being there or beyond. */
async function aborted(
  call: (options: { signal: AbortSignal; onProgress: (progress: Progress) => void }) => Promise<unknown>, when: (progress: Progress) => boolean,
): Promise<Progress[]> {
  const controller = new AbortController();
  const reason = new Error('no more');
  const heard: Progress[] = [];
  const onProgress = (progress: Progress): void => {
    if (controller.signal.aborted) heard.push(progress);
    else if (when(progress)) controller.abort(reason);
  };
  assert.is(await call({ signal: controller.signal, onProgress }).catch((error: unknown) => error), reason);
  return heard;
}

const firstLayerBegins = ({ stage, done }: Progress): boolean => stage === 'forward' && done === 0;

for (const [kind, options] of Object.entries(kinds)) {
  test(`an abort stops a pass inside of a layer, ${kind}`, async ({ folder }) => {
    await using engine = await createEngine(options);
    await using model = await LongformerModel.fromPretrained(folder, { engine });
    const short = { inputIds: ids(300), globalTokens: [0, 7] };
    const before = (await model.forward(short)).lastHiddenState.data;
    const more = await aborted((given) => model.forward(long, given), firstLayerBegins);
    assert.equal(more, [], 'it stops inside of the layer that runs');
    assert.equal((await model.forward(short)).lastHiddenState.data, before, 'the same bits as before');
  });

  test(`an abort stops what is looked at, ${kind}`, async ({ folder }) => {
    await using engine = await createEngine(options);
    await using model = await LongformerModel.fromPretrained(folder, { engine });
    const look = { layer: 1, position: 9 };
    const short = { inputIds: ids(300), globalTokens: [0] };
    const before = (await model.attentionOf(short, look)).data;
    await aborted((given) => model.attentionOf(long, { ...look, ...given }), firstLayerBegins);
    await aborted((given) => model.forward({ inputIds: ids(10_000), globalTokens: [0] }, { outputAttentions: { layers: [0] }, ...given }), firstLayerBegins);
    assert.equal((await model.attentionOf(short, look)).data, before);
  });

  test(`an abort stops attention by itself, ${kind}`, async () => {
    await using engine = await createEngine(options);
    const controller = new AbortController();
    const reason = new Error('no more');
    const call = engine.attention(longAttention(), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    assert.is(await call.catch((error: unknown) => error), reason);
    const { data } = await engine.attention({ ...longAttention(), oneSidedWindow: 2 });
    assert.ok(data.every((x) => Math.abs(x - 1) < 1e-5), 'the mean of equal values is that value');
  });

  test(`aborted calls leave no memory behind, ${kind}`, async ({ folder }) => {
    await using engine = await createEngine(options);
    await using model = await LongformerModel.fromPretrained(folder, { engine });
    const text = { inputIds: ids(20_000), globalTokens: [0] };
    const load = (given: object): Promise<unknown> => LongformerModel.fromPretrained(folder, { engine, ...given });
    const halfLoaded = ({ stage, done, total }: Progress): boolean => stage === 'load' && done > total / 2;
    await aborted((given) => model.forward(text, given), firstLayerBegins);
    await aborted(load, halfLoaded);
    const { memoryBytes } = engine.info;
    for (let i = 0; i < 4; i++) {
      await aborted((given) => model.forward(text, given), firstLayerBegins);
      await aborted(load, halfLoaded);
    }
    // How far a call comes before its abort is heard differs. What four leave behind would be four times these.
    const hiddenStates = 4 * text.inputIds.length * sizes.hidden_size;
    assert.ok(engine.info.memoryBytes < memoryBytes + 2 * hiddenStates, `${engine.info.memoryBytes} bytes, ${memoryBytes} before`);
  });

  test(`says how far a pass has come while it runs, ${kind}`, async ({ folder }) => {
    await using engine = await createEngine(options);
    await using model = await LongformerModel.fromPretrained(folder, { engine });
    const more = await aborted((given) => model.forward(long, given), ({ stage, done, total }) => stage === 'forward' && done === 1 && total === 2);
    assert.equal(more, [], 'the second layer was yet to come');
  });
}

test('with threads and without, interrupted often or never, results are the same bits', async ({ folder }) => {
  const results = await Promise.all(Object.values(kinds).map(async (options) => {
    await using engine = await createEngine(options);
    await using model = await LongformerModel.fromPretrained(folder, { engine });
    return (await model.forward({ inputIds: ids(3_000), globalTokens: [0, 50] })).lastHiddenState.data;
  }));
  for (const data of results) assert.equal(data, results[0]);
});

test('several engines run side by side, each with its model, and each in its order', async ({ folder }) => {
  const engines = await Promise.all([{ threads: 2 }, { threads: 1 }, { threads: 2 }].map((options) => createEngine(options)));
  const models = await Promise.all(engines.map((engine) => LongformerModel.fromPretrained(folder, { engine })));
  const order: number[][] = engines.map(() => []);
  const results = await Promise.all(models.flatMap((model, i) => [900, 30, 300].map(async (length) => {
    const { lastHiddenState: { data } } = await model.forward({ inputIds: ids(length) });
    order[i]!.push(length);
    return data;
  })));
  assert.equal(order, engines.map(() => [900, 30, 300]));
  for (const [i, data] of results.entries()) assert.equal(data, results[i % 3]);
  await Promise.all(engines.map((engine) => engine.dispose()));
});

test('dispose ends a pass that runs, and those that wait', async ({ folder }) => {
  for (const options of Object.values(kinds)) {
    const engine = await createEngine(options);
    const model = await LongformerModel.fromPretrained(folder, { engine });
    let begun = (): void => {};
    const runs = new Promise<void>((resolve) => { begun = resolve; });
    const calls = [model.forward(long, { onProgress: begun }), model.forward({ inputIds: ids(5) }), model.dispose().then(() => model.forward({ inputIds: ids(5) }))]
      .map((call) => assertRefuses(() => call, 'ENGINE_DEAD', /was disposed/));
    await runs;
    await Promise.all([engine.dispose(), engine.dispose()]);
    await Promise.all(calls);
  }
});

// ---------------------------------------------------------------------------- deaths

/** Whether a call of another engine works: one death is nobody else's. */
async function works(engine: Engine): Promise<void> {
  const vectors = (): Float32Array => new Float32Array(5 * 32).fill(3);
  const { data } = await engine.attention({ query: vectors(), key: vectors(), value: vectors(), seqLen: 5, numHeads: 2, headDim: 16, oneSidedWindow: 2 });
  assert.ok(data.every((x) => Math.abs(x - 3) < 1e-5));
}

test('a small allocation that fails ends the engine, says so, and nothing else', async () => {
  await using other = await createEngine({ threads: 2 });
  const folder = await mkdtemp(join(tmpdir(), 'life-'));
  try {
    // Halves are widened eight columns at a time, each as deep as the feed-forward block is wide: 22 MB. Weights are 45, and activations 20.
    await writeRandom(folder, { ...sizes, hidden_size: 16, intermediate_size: 700_000, num_hidden_layers: 1, max_position_embeddings: 3_002 });
    for (const threads of [1, 2]) {
      await using engine = await createEngine({ threads, maxMemoryBytes: 80 * 2 ** 20 });
      const model = await LongformerModel.fromPretrained(folder, { engine, dtype: 'f16' });
      // Activations of many tokens are asked for: nobody dies of them.
      await assertRefuses(() => model.forward({ inputIds: ids(3_000) }), 'OUT_OF_MEMORY');
      const calls = [model.forward({ inputIds: ids(3) }), model.forward({ inputIds: ids(3) })];
      for (const call of calls) await assertRefuses(() => call, 'ENGINE_DEAD');
      await works(other);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Engines started in `work` give their workers away: the engine's own, then those of its pool. */
async function withWorkers(work: (workers: threads.Worker[]) => Promise<void>): Promise<void> {
  const { Worker: Original } = threads;
  const workers: threads.Worker[] = [];
  threads.Worker = new Proxy(Original, {
    construct(target, args: ConstructorParameters<typeof Original>) {
      const worker = new target(...args);
      workers.push(worker);
      return worker;
    },
  });
  try {
    await work(workers);
  } finally {
    threads.Worker = Original;
  }
}

test('a worker that is ended from outside ends its engine: what runs and what waits is rejected', async ({ folder }) => {
  await using other = await createEngine({ threads: 2 });
  for (const [which, threads] of [[0, 1], [0, 2], [1, 2]] as const) {
    await withWorkers(async (workers) => {
      const engine = await createEngine({ threads });
      const model = await LongformerModel.fromPretrained(folder, { engine });
      let begun = (): void => {};
      const runs = new Promise<void>((resolve) => { begun = resolve; });
      const calls = [model.forward(long, { onProgress: begun }), model.forward({ inputIds: ids(5) })]
        .map((call) => assertRefuses(() => call, 'ENGINE_DEAD', /ended with code/));
      await runs;
      assert.is(workers.length, threads);
      await workers[which]!.terminate();
      await Promise.all(calls);
      await assertRefuses(() => model.forward({ inputIds: ids(5) }), 'ENGINE_DEAD', /ended with code/);
      await Promise.all(workers.map((worker) => worker.terminate())); // resolves: all have ended
      await model.dispose(); // what is gone has given everything back
      await engine.dispose();
      await works(other);
    });
  }
});

test('a worker that ends by itself between calls is heard by the next one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'life-'));
  try {
    const workerUrl = new URL(pathToFileURL(join(folder, 'worker.mjs')).href);
    const real = new URL('../dist/engine/worker.js', import.meta.url);
    await writeFile(workerUrl, `import ${JSON.stringify(real.href)}; setTimeout(() => process.exit(7), 300);`);
    const engine = await createEngine({ threads: 1, workerUrl });
    await works(engine);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await assertRefuses(() => works(engine), 'ENGINE_DEAD', /ended with code 7/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
