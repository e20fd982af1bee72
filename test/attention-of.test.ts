// What one token pays to the others: against the definition, written out over a checkpoint's own tensors.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, LongformerForCausalLM, LongformerModel, type Engine, type Progress, type Sequence } from 'longformer-wasm';
import { bandsOf, readConfig, type LongformerConfig } from '../dist/config.js';
import { openSource } from '../dist/files/open.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import type { StoredTensors } from '../dist/files/tensors.js';
import { sightOf } from '../dist/pattern.js';
import { assertClose } from './close.ts';
import { assertRefuses } from './rejects.ts';

/** The hidden states are what the model computed; from there on a score of up to 20 is rounded by up to 1e-6, several times. */
const TOLERANCE = 2e-5;

interface Checkpoint { model: LongformerModel | LongformerForCausalLM; config: LongformerConfig; tensors: StoredTensors; prefix: string }

const test = suite<{ engine: Engine; tiny: Checkpoint; characters: Checkpoint }>('attention of a token');

test.before(async (context) => {
  const engine = await createEngine({ threads: 2 });
  const open = async (name: string, Model: typeof LongformerModel | typeof LongformerForCausalLM): Promise<Checkpoint> => {
    const folder = new URL(`./fixtures/${name}/`, import.meta.url);
    const source = await openSource(folder);
    const tensors = await openSafetensors((await source.open('model.safetensors'))!);
    const prefix = tensors.tensors.has('embeddings.word_embeddings.weight') ? '' : 'longformer.';
    return { model: await Model.fromPretrained(folder, { engine }), config: await readConfig(source), tensors, prefix };
  };
  Object.assign(context, { engine, tiny: await open('tiny-longformer', LongformerModel), characters: await open('char-lm', LongformerForCausalLM) });
});

test.after(({ engine }) => engine.dispose());

async function read({ tensors, prefix }: Checkpoint, name: string): Promise<Float32Array> {
  const { buffer } = new Uint8Array(await tensors.read(prefix + name));
  const { dtype } = tensors.tensors.get(prefix + name)!;
  assert.ok(dtype === 'F32' || dtype === 'F16');
  return dtype === 'F32' ? new Float32Array(buffer) : Float32Array.from(new Uint16Array(buffer), half);
}

/** A float of 16 bits: 1 for the sign, 5 for the exponent, 10 for the fraction. */
function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** `x · weightᵀ + bias` of every row. */
async function project(checkpoint: Checkpoint, x: Float32Array, name: string): Promise<Float32Array> {
  const { hidden_size: size } = checkpoint.config;
  const [weight, bias] = [await read(checkpoint, `${name}.weight`), await read(checkpoint, `${name}.bias`)];
  return Float32Array.from(x, (_, i) => {
    const [row, feature] = [Math.floor(i / size), i % size];
    let sum = bias[feature]!;
    for (let k = 0; k < size; k++) sum += x[row * size + k]! * weight[feature * size + k]!;
    return sum;
  });
}

async function layerNorm(checkpoint: Checkpoint, x: Float32Array, name: string): Promise<Float32Array> {
  const { hidden_size: size, layer_norm_eps: eps } = checkpoint.config;
  const [weight, bias] = [await read(checkpoint, `${name}.weight`), await read(checkpoint, `${name}.bias`)];
  const result = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += size) {
    const row = x.subarray(start, start + size);
    const mean = row.reduce((sum, value) => sum + value, 0) / size;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
    for (let i = 0; i < size; i++) result[start + i] = (row[i]! - mean) / Math.sqrt(variance + eps) * weight[i]! + bias[i]!;
  }
  return result;
}

/** Holds the weights of one token against the definition, and the context that they make against the engine's. */
async function assertAttention(engine: Engine, checkpoint: Checkpoint, sequence: Sequence, layer: number, position: number): Promise<void> {
  const { model, config } = checkpoint;
  const { num_attention_heads: heads, hidden_size: size, autoregressive: causal } = config;
  const [seqLen, headDim] = [sequence.inputIds.length, size / heads];
  const { dims, data } = await model.attentionOf(sequence, { layer, position });
  assert.equal(dims, [heads, seqLen]);

  const entering = (await model.forward(sequence, { outputHiddenStates: [layer] })).hiddenStates![0]!.data;
  const name = `encoder.layer.${layer}.attention`;
  const x = config.norm_first ? await layerNorm(checkpoint, entering, `${name}.LayerNorm`) : entering;
  const vectors = async (suffix: string): Promise<Float32Array[]> =>
    Promise.all(['query', 'key', 'value'].map((part) => project(checkpoint, x, `${name}.self.${part}${suffix}`)));
  const local = await vectors('');
  const hasGlobal = checkpoint.tensors.tensors.has(`${checkpoint.prefix}${name}.self.query_global.weight`);
  const global = hasGlobal ? await vectors('_global') : local;
  const globalTokens = [...sequence.globalTokens as number[] ?? []];
  const [query, key, value] = globalTokens.includes(position) ? global : local;
  const { oneSidedWindow, dilations } = bandsOf(config)[layer]!;

  const { data: contexts } = await engine.attention({
    query: local[0]!, key: local[1]!, value: local[2]!, queryGlobal: global[0]!, keyGlobal: global[1]!, valueGlobal: global[2]!,
    seqLen, numHeads: heads, headDim, oneSidedWindow, dilation: dilations, causal, globalTokens,
  });
  for (let head = 0; head < heads; head++) {
    const pattern = { oneSidedWindow, dilation: dilations[head]!, causal, globalTokens: new Set(globalTokens) };
    const at = (token: number): number => (token * heads + head) * headDim;
    const powers = Array.from({ length: seqLen }, (_, j) => {
      if (sightOf(pattern, position, j) === null) return 0;
      let score = 0;
      for (let d = 0; d < headDim; d++) score += query![at(position) + d]! * key![at(j) + d]!;
      return Math.exp(score / Math.sqrt(headDim));
    });
    const sum = powers.reduce((total, power) => total + power, 0);
    const weights = data.subarray(head * seqLen, (head + 1) * seqLen);
    assertClose(weights, powers.map((power) => power / sum), TOLERANCE, `head ${head}`);
    powers.forEach((power, j) => assert.ok((power > 0) === (weights[j]! > 0), `head ${head} sees ${j}, or not`));
    assertClose([weights.reduce((total, weight) => total + weight, 0)], [1], 1e-6, `sum of head ${head}`);

    const context = new Float64Array(headDim);
    weights.forEach((weight, j) => context.forEach((_, d) => { context[d]! += weight * value![at(j) + d]!; }));
    assertClose(contexts.subarray(at(position), at(position) + headDim), context, TOLERANCE, `context of head ${head}`);
  }
}

const ids = Array.from({ length: 61 }, (_, i) => 3 + (i * 7) % 100);

for (const layer of [0, 1, 3]) {
  test(`follows its definition in layer ${layer}`, async ({ engine, tiny }) => {
    for (const position of [0, 30, 60]) await assertAttention(engine, tiny, { inputIds: ids }, layer, position);
  });

  test(`follows its definition with global tokens in layer ${layer}`, async ({ engine, tiny }) => {
    for (const position of [0, 29, 41, 60]) await assertAttention(engine, tiny, { inputIds: ids, globalTokens: [0, 41] }, layer, position);
  });
}

test('follows its definition where heads are dilated, nothing is seen ahead and norms come first', async ({ engine, characters }) => {
  const inputIds = Array.from({ length: 150 }, (_, i) => 1 + (i * 5) % 40);
  for (const layer of [0, 3, 5]) await assertAttention(engine, characters, { inputIds }, layer, 140);
  await assertAttention(engine, characters, { inputIds, globalTokens: [2, 120] }, 4, 120);
});

test('a masked token pays nothing, and is paid nothing', async ({ tiny: { model } }) => {
  const sequence = { inputIds: ids, keyMask: ids.map((_, i) => (i === 20 ? 0 : 1)) };
  assert.ok((await model.attentionOf(sequence, { layer: 1, position: 20 })).data.every((weight) => weight === 0));
  const { data } = await model.attentionOf(sequence, { layer: 1, position: 21 });
  assert.equal([0, 1, 2, 3].map((head) => data[head * ids.length + 20]), [0, 0, 0, 0]);
});

test('takes another window', async ({ tiny: { model } }) => {
  const { data } = await model.attentionOf({ inputIds: ids }, { layer: 0, position: 30, attentionWindow: 2 });
  assert.equal(Array.from(data.subarray(0, ids.length), (weight, i) => (weight > 0 ? i : -1)).filter((i) => i >= 0), [29, 30, 31]);
});

test('runs no further than it must, and says how far it is', async ({ tiny: { model } }) => {
  const seen: Progress[] = [];
  await model.attentionOf({ inputIds: ids }, { layer: 2, position: 0, onProgress: (progress) => seen.push(progress) });
  assert.equal(seen, [0, 1, 2].map((done) => ({ stage: 'forward', done, total: 2, unit: 'layers' })));
});

test('what is not there is refused by name', async ({ tiny: { model } }) => {
  const refuse = (options: { layer: number; position: number }, ...patterns: RegExp[]): Promise<void> =>
    assertRefuses(() => model.attentionOf({ inputIds: ids }, options), 'BAD_INPUT', ...patterns);
  await refuse({ layer: 4, position: 0 }, /layer must be a whole number below 4, got 4/);
  await refuse({ layer: -1, position: 0 }, /layer/, /-1/);
  await refuse({ layer: 0, position: 61 }, /position must be a whole number below 61, got 61/);
  await refuse({ layer: 0, position: 0.5 }, /position/, /0\.5/);
  await assertRefuses(() => model.attentionOf({ inputIds: [] }, { layer: 0, position: 0 }), 'BAD_INPUT', /inputIds/);
});

test.run();
