// Loading and running a model: what is refused, by name, and that the engine goes on.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from 'node:fs/promises';
import { createEngine, LongformerModel, type Engine, type FileSource, type Progress } from 'longformer-wasm';
import { openBlobs } from '../dist/files/blobs.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import { writeSafetensors } from '../dist/files/safetensors-writer.js';
import type { TensorInfo } from '../dist/files/tensors.js';
import { assertClose } from './close.ts';
import { assertRefuses } from './rejects.ts';

const folder = new URL('./fixtures/tiny-longformer/', import.meta.url);
const config = JSON.parse(await readFile(new URL('config.json', folder), 'utf8')) as Record<string, unknown>;
const weights = await readFile(new URL('model.safetensors', folder));

/** The files of a checkpoint, changed: config fields, tensors (null: left out), or the whole file. */
async function files(change: {
  config?: Record<string, unknown>;
  tensor?: (info: TensorInfo) => TensorInfo | null;
  weights?: Uint8Array<ArrayBuffer> | null;
}): Promise<FileSource> {
  const bytes = change.weights === undefined ? await rewritten(change.tensor ?? ((info) => info)) : change.weights;
  return {
    async open(name) {
      if (name === 'config.json') return new Blob([JSON.stringify({ ...config, ...change.config })]);
      return name === 'model.safetensors' && bytes !== null ? new Blob([bytes]) : null;
    },
  };
}

async function rewritten(change: (info: TensorInfo) => TensorInfo | null, of: ArrayLike<number> = weights): Promise<Uint8Array<ArrayBuffer>> {
  const blob = new Blob([new Uint8Array(of)]);
  const original = await openSafetensors((await openBlobs({ open: async () => blob }).open('model.safetensors'))!);
  const tensors = [...original.tensors.values()].flatMap((info) => {
    const changed = change(info);
    if (changed === null) return [];
    return [{ name: changed.name, dtype: changed.dtype, shape: changed.shape, async *chunks() { yield await original.read(info.name); } }];
  });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of writeSafetensors(tensors)) parts.push(part as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const test = suite<{ engine: Engine; model: LongformerModel }>('model');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 2 });
  context.model = await LongformerModel.fromPretrained(folder, { engine: context.engine });
});

test.after(({ engine }) => engine.dispose());

const ids = Array.from({ length: 40 }, (_, i) => 3 + (i * 7) % 100);

test('loads from files that the caller brings', async ({ engine, model }) => {
  await using same = await LongformerModel.fromPretrained(await files({}), { engine });
  const [a, b] = [await model.forward({ inputIds: ids }), await same.forward({ inputIds: ids })];
  assert.equal(a.lastHiddenState.data, b.lastHiddenState.data);
});

test('finds the encoder under the prefixes of heads, of other tools and of training programs', async ({ engine, model }) => {
  const { lastHiddenState } = await model.forward({ inputIds: ids });
  for (const prefix of ['longformer.', 'roberta.', 'model.', 'model.longformer.', 'model.roberta.']) {
    const prefixed = await files({ tensor: (info) => ({ ...info, name: `${prefix}${info.name}` }) });
    await using same = await LongformerModel.fromPretrained(prefixed, { engine });
    assert.equal((await same.forward({ inputIds: ids })).lastHiddenState.data, lastHiddenState.data, prefix);
  }
});

test('takes gamma and beta for weight and bias of layer norms', async ({ engine, model }) => {
  const old = (name: string) => name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
  const renamed = await files({ tensor: (info) => ({ ...info, name: old(info.name) }) });
  await using same = await LongformerModel.fromPretrained(renamed, { engine });
  const [a, b] = [await model.forward({ inputIds: ids }), await same.forward({ inputIds: ids })];
  assert.equal(a.lastHiddenState.data, b.lastHiddenState.data);
});

test('BERT with windows counts positions from 0', async ({ engine }) => {
  const bert = new URL('./fixtures/tiny-bert/', import.meta.url);
  const json = async (name: string) => JSON.parse(await readFile(new URL(name, bert), 'utf8'));
  const [bertConfig, { cases: [short] }] = [await json('config.json'), await json('expected.json')];
  const bytes = await readFile(new URL('model.safetensors', bert));
  const kinds = [
    { prefix: 'bert.', model_type: 'longformer' }, { prefix: '', model_type: 'bert' },
    { prefix: 'model.', model_type: 'bert' }, { prefix: 'model.bert.', model_type: undefined },
  ];
  for (const { prefix, model_type } of kinds) {
    const prefixed = await rewritten((info) => ({ ...info, name: `${prefix}${info.name}` }), bytes);
    const given: FileSource = {
      async open(name) {
        if (name === 'config.json') return new Blob([JSON.stringify({ ...bertConfig, model_type, attention_window: 64 })]);
        return name === 'model.safetensors' ? new Blob([prefixed]) : null;
      },
    };
    await using model = await LongformerModel.fromPretrained(given, { engine });
    const { lastHiddenState } = await model.forward({ inputIds: short.inputIds });
    assertClose(lastHiddenState.data, short.lastHiddenState.flat(), 4 * short.float32Error, `prefix ${prefix}`);
    // As many tokens as the table has rows, padding ids counted; no more.
    assert.is(model.maxTokens, 40);
    await model.forward({ inputIds: Array(40).fill(0) });
    await assertRefuses(() => model.forward({ inputIds: Array(41).fill(0) }), 'BAD_INPUT', /at most 40 tokens, .* got 41/);
  }
});

test('windows of AI2 count one side', async ({ engine, model }) => {
  const { lastHiddenState } = await model.forward({ inputIds: ids });
  const own = { model_type: 'roberta', attention_mode: 'sliding_chunks', attention_window: [4, 8, 16, 8], attention_dilation: [1, 1, 1, 1], autoregressive: false };
  await using same = await LongformerModel.fromPretrained(await files({ config: own, tensor: (info) => ({ ...info, name: `roberta.${info.name}` }) }), { engine });
  assert.equal((await same.forward({ inputIds: ids })).lastHiddenState.data, lastHiddenState.data);
});

test('tells how far it is, to the last byte and the last layer', async ({ engine }) => {
  const seen: Progress[] = [];
  await using model = await LongformerModel.fromPretrained(folder, { engine, onProgress: (p) => seen.push(p) });
  assert.ok(seen.every(({ stage, unit }) => stage === 'load' && unit === 'bytes'));
  assert.ok(seen.every(({ done }, i) => i === 0 || done >= seen[i - 1]!.done));
  assert.is(seen.at(-1)!.done, seen.at(-1)!.total);
  seen.length = 0;
  await model.forward({ inputIds: ids }, { onProgress: (p) => seen.push(p) });
  assert.equal(seen.map(({ done }) => done), [0, 1, 2, 3, 4]);
  assert.ok(seen.every(({ stage, total }) => stage === 'forward' && total === 4));
});

test('keeps config.json as it was read', ({ model }) => {
  assert.equal(model.config, config);
});

test('gives the rows and layers that are wanted', async ({ model }) => {
  const all = await model.forward({ inputIds: ids }, { outputHiddenStates: true });
  const some = await model.forward({ inputIds: ids }, { positions: [0, 17, 39], outputHiddenStates: [0, 2] });
  for (const [row, position] of [0, 17, 39].entries()) {
    const wanted = all.lastHiddenState.data.subarray(position * 48, (position + 1) * 48);
    assert.equal(some.lastHiddenState.data.subarray(row * 48, (row + 1) * 48), wanted);
  }
  assert.equal(some.hiddenStates!.map(({ data }) => data), [all.hiddenStates![0]!.data, all.hiddenStates![2]!.data]);
  assert.equal(all.hiddenStates![4]!.data, all.lastHiddenState.data);
});

test('a window that reaches beyond the text sees all of it, however wide', async ({ model }) => {
  const wide = await model.forward({ inputIds: ids }, { attentionWindow: 1000 });
  const wider = await model.forward({ inputIds: ids }, { attentionWindow: [80, 90, 100, 4000] });
  assertClose(wide.lastHiddenState.data, wider.lastHiddenState.data, 0, 'windows beyond the text');
});

test('aborts a forward pass between layers, and works on', async ({ model }) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const long = Array.from({ length: 1000 }, (_, i) => 3 + (i % 100));
  const call = model.forward(Array.from({ length: 60 }, () => ({ inputIds: long })), {
    signal: controller.signal,
    maxBatchTokens: 1000,
    onProgress: ({ done }) => { if (done === 5) controller.abort(reason); },
  });
  assert.is(await call.catch((error: unknown) => error), reason);
  assert.is((await model.forward({ inputIds: ids })).lastHiddenState.dims[0], 40);
});

test('refuses bad sequences by name', async ({ model }) => {
  const refuses = (sequence: object, ...words: RegExp[]): Promise<void> =>
    assertRefuses(() => model.forward({ inputIds: ids, ...sequence }), 'BAD_INPUT', ...words);
  await refuses({ inputIds: [] }, /inputIds must have at least one token/);
  await refuses({ inputIds: [5, 120] }, /inputIds\[1\] must be an id below 120, got 120/);
  await refuses({ inputIds: [5, -1] }, /inputIds\[1\] .* got -1/);
  await refuses({ inputIds: [2.5] }, /inputIds\[0\] .* got 2.5/);
  await refuses({ inputIds: Array(1025).fill(5) }, /inputIds must have at most 1024 tokens, .* got 1025/);
  await refuses({ globalTokens: [40] }, /globalTokens\[0\] must be a position below 40, got 40/);
  await refuses({ globalTokens: [7, 3] }, /globalTokens\[1\] must be above the one before it, 7, got 3/);
  await refuses({ keyMask: [1, 1] }, /keyMask must have an element per token, 40, has 2/);
  await refuses({ tokenTypeIds: [0] }, /tokenTypeIds must have an element per token, 40, has 1/);
  await refuses({ tokenTypeIds: Array(40).fill(2) }, /tokenTypeIds\[0\] must be an id below 2, got 2/);
  await assertRefuses(() => model.forward({ inputIds: ids }, { positions: [40] }), 'BAD_INPUT', /positions\[0\]/);
  await assertRefuses(() => model.forward({ inputIds: ids }, { attentionWindow: 7 }), 'BAD_INPUT', /attentionWindow .* got 7/);
  await assertRefuses(() => model.forward({ inputIds: ids }, { outputHiddenStates: [5] }), 'BAD_INPUT', /outputHiddenStates\[0\]/);
  assert.is((await model.forward({ inputIds: ids })).lastHiddenState.dims[0], 40);
});

test('refuses by name what is no list', async ({ model }) => {
  const refuses = (input: unknown, word: RegExp): Promise<void> => assertRefuses(() => model.forward(input as { inputIds: number[] }), 'BAD_INPUT', word);
  for (const input of [null, undefined, 3]) await refuses(input, /the sequence must be an object with inputIds/);
  for (const input of [{}, [[5, 6]], { inputIds: 3 }, { inputIds: new Set([5]) }]) await refuses(input, /inputIds/);
  await refuses({ inputIds: ids, tokenTypeIds: 3 }, /tokenTypeIds/);
  await refuses({ inputIds: ids, globalTokens: 0 }, /globalTokens/);
  await refuses({ inputIds: ids, globalTokens: new Set([0]) }, /globalTokens/);
  await refuses({ inputIds: ids, keyMask: 1 }, /keyMask/);
  const options = (given: object, word: RegExp): Promise<void> => assertRefuses(() => model.forward({ inputIds: ids }, given), 'BAD_INPUT', word);
  await options({ positions: 3 }, /positions/);
  await options({ outputHiddenStates: 3 }, /outputHiddenStates/);
});

test('refuses a result of gigabytes before the pass', async ({ model }) => {
  const inputIds = new Uint32Array(1000).fill(5);
  const sequences = Array.from({ length: 2000 }, () => ({ inputIds }));
  const controller = new AbortController(); // so that a pass that does start has an end
  const call = (): Promise<unknown> => model.forward(sequences, { outputHiddenStates: true, signal: controller.signal, onProgress: () => controller.abort() });
  await assertRefuses(call, 'OUT_OF_MEMORY', /the result must have at most 2147483648 bytes, would have 2304384000/);
});

test('refuses options of a call by name', async ({ model }) => {
  for (const maxBatchTokens of [0, -1, 0.5, NaN, -Infinity, 'x', {}]) {
    await assertRefuses(() => model.forward({ inputIds: ids }, { maxBatchTokens: maxBatchTokens as number }), 'BAD_INPUT', /maxBatchTokens must be a number from 1/);
  }
  const attentionWindow = (() => 8) as unknown as number;
  await assertRefuses(() => model.forward({ inputIds: ids }, { attentionWindow }), 'BAD_INPUT', /attentionWindow must be an even number/);
  await assertRefuses(() => model.attentionOf({ inputIds: ids }, { layer: 0, position: 0, attentionWindow }), 'BAD_INPUT', /attentionWindow/);
  const several = await model.forward([{ inputIds: ids }, { inputIds: ids }], { maxBatchTokens: Infinity });
  assert.equal(several.map(({ lastHiddenState }) => lastHiddenState.dims[0]), [40, 40]);
});

test('refuses options of loading before an engine starts', async ({ engine }) => {
  const refuses = (source: unknown, options: object, ...words: RegExp[]): Promise<void> =>
    assertRefuses(() => LongformerModel.fromPretrained(source as string, options), 'BAD_INPUT', ...words);
  // A number of threads that no engine has: whatever is refused before it, is before an engine.
  for (const source of [undefined, null, 3, {}]) await refuses(source, { threads: 0 }, /source must be a path, a URL or an object with open\(name\)/);
  await refuses(folder, { dtype: 'int4', threads: 0 }, /dtype/);
  await refuses(folder, { engine: {}, threads: 0 }, /engine must be an engine that createEngine made/);
  for (const attentionWindow of [7, [8, 7], () => 8]) await refuses(folder, { attentionWindow, threads: 0 }, /attentionWindow/);
  await refuses(folder, { threads: 0 }, /threads must be an integer between 1 and 256, got 0/);
  await refuses(folder, { engine, attentionWindow: [8, 8] }, /attentionWindow must have one entry per layer, 4, has 2/);
});

test('refuses bad checkpoints by name, and the engine goes on', async ({ engine }) => {
  const load = (source: string | URL | FileSource) => () => LongformerModel.fromPretrained(source, { engine });
  await assertRefuses(load(new URL('nowhere/', folder)), 'NOT_FOUND', /nowhere/);
  await assertRefuses(load(new URL('config.json', folder)), 'NOT_FOUND', /config.json/);
  await assertRefuses(load(await files({ weights: null })), 'NOT_FOUND', /model.safetensors/);
  await assertRefuses(load(await files({ weights: new Uint8Array(weights).slice(0, 400_000) })), 'BAD_FILE', /model.safetensors/);
  await assertRefuses(load(await files({ weights: new Uint8Array(4) })), 'BAD_FILE', /model.safetensors/);

  const key = 'encoder.layer.1.attention.self.key_global.weight';
  const missing = (info: TensorInfo) => (info.name === key ? null : info);
  await assertRefuses(load(await files({ tensor: missing })), 'NOT_FOUND', /encoder\.layer\.1\.attention\.self\.key_global\.weight/);
  const flat = (info: TensorInfo) => (info.name === key ? { ...info, shape: [48 * 48] } : info);
  await assertRefuses(load(await files({ tensor: flat })), 'BAD_FILE', /key_global\.weight must have the shape \[48,48\].*has \[2304\]/);
  const whole = (info: TensorInfo) => (info.name === key ? { ...info, dtype: 'I32' as const } : info);
  await assertRefuses(load(await files({ tensor: whole })), 'BAD_FILE', /key_global\.weight must hold F32.*holds I32/);
  await assertRefuses(load(await files({ config: { vocab_size: 100 } })), 'BAD_FILE', /word_embeddings\.weight must have the shape \[100,48\]/);
  await assertRefuses(load(await files({ config: { num_hidden_layers: 5, attention_window: 16 } })), 'NOT_FOUND', /encoder\.layer\.4\./);
  await assertRefuses(load(await files({ config: { attention_window: [8, 16] } })), 'BAD_FILE', /attention_window/);
  await assertRefuses(
    () => LongformerModel.fromPretrained(folder, { engine, dtype: 'int4' as 'f32' }), 'BAD_INPUT', /dtype must .* got "int4"/,
  );
  assert.is((await (await LongformerModel.fromPretrained(folder, { engine })).forward({ inputIds: ids })).lastHiddenState.dims[0], 40);
});

test('a disposed model is refused, its engine works on', async ({ engine, model }) => {
  const other = await LongformerModel.fromPretrained(folder, { engine });
  await other.dispose();
  await assertRefuses(() => other.forward({ inputIds: ids }), 'BAD_INPUT', /the model was disposed/);
  assert.is((await model.forward({ inputIds: ids })).lastHiddenState.dims[0], 40);
});

test('a model whose engine is gone is disposed as if it were there', async () => {
  const engine = await createEngine({ threads: 2 });
  const model = await LongformerModel.fromPretrained(folder, { engine });
  const dead = await engine.call('panicInPool', []).catch((error: unknown) => error);
  assert.is((dead as { code?: string }).code, 'ENGINE_DEAD');
  await model.dispose();
  await engine.dispose();
  await model.dispose();
});

test('a size that only the config claims takes no memory, and a short read is refused', async ({ engine }) => {
  const before = engine.info.memoryBytes;
  await assertRefuses(async () => LongformerModel.fromPretrained(await files({ config: { vocab_size: 1_000_000 } }), { engine }), 'BAD_FILE', /word_embeddings/);
  assert.ok(engine.info.memoryBytes - before < 48_000_000, `${engine.info.memoryBytes - before} bytes`);
  const whole = await files({});
  const short: FileSource = {
    async open(name) {
      const blob = await whole.open(name);
      if (blob === null || name === 'config.json') return blob;
      const slice = (start: number, end: number): Blob => blob.slice(start, end - start === 120 * 48 * 4 ? end - 4 : end);
      return { size: blob.size, slice } as Blob;
    },
  };
  await assertRefuses(() => LongformerModel.fromPretrained(short, { engine }), 'BAD_FILE');
});

test('reads weights in shards', async ({ engine, model }) => {
  const single = await files({});
  const opened: string[] = [];
  const open = (replaced: Record<string, unknown>): FileSource => ({
    open: async (name) => (opened.push(name), name in replaced ? new Blob([JSON.stringify(replaced[name])])
      : name === 'shard.safetensors' ? single.open('model.safetensors') : name === 'config.json' ? single.open(name) : null),
  });
  const bytes = (await single.open('model.safetensors'))!;
  const tensors = await openSafetensors((await openBlobs({ open: async () => bytes }).open('model.safetensors'))!);
  const weight_map = Object.fromEntries([...tensors.tensors.keys()].map((name, i) => [name, `${'x/../'.repeat(i)}shard.safetensors`]));
  await using same = await LongformerModel.fromPretrained(open({ 'model.safetensors.index.json': { weight_map } }), { engine });
  assert.equal((await same.forward({ inputIds: ids })).lastHiddenState.data, (await model.forward({ inputIds: ids })).lastHiddenState.data);
  assert.is(opened.filter((name) => name === 'shard.safetensors').length, 1, 'opened once, however it is spelled');
});

test('reads double precision', async ({ engine, model }) => {
  const doubled = new Map<string, Uint8Array<ArrayBuffer>>();
  const bytes = await rewritten((info) => info);
  const original = await openSafetensors((await openBlobs({ open: async () => new Blob([bytes]) }).open('model.safetensors'))!);
  for (const name of original.tensors.keys()) {
    const singles = new Float32Array((await original.read(name)).buffer);
    doubled.set(name, new Uint8Array(Float64Array.from(singles).buffer));
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const tensors = [...original.tensors.values()].map(({ name, shape }) =>
    ({ name, dtype: 'F64' as const, shape, async *chunks() { yield doubled.get(name)!; } }));
  for await (const part of writeSafetensors(tensors)) parts.push(part as Uint8Array<ArrayBuffer>);
  const double = await files({ weights: new Uint8Array(await new Blob(parts).arrayBuffer()) });
  await using same = await LongformerModel.fromPretrained(double, { engine });
  const [a, b] = [await model.forward({ inputIds: ids }), await same.forward({ inputIds: ids })];
  assert.equal(a.lastHiddenState.data, b.lastHiddenState.data);
});

test.run();
