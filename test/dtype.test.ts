// Weights kept as halves and in 8 bits, on the small checkpoints of the fixtures. What it does to
// real weights: dtype.minilm.test.ts.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertToLongformer, createEngine, LongformerForCausalLM, LongformerForMaskedLM, LongformerModel, SearchIndex, type Engine, type FileSource } from 'longformer-wasm';
import { assertClose } from './close.ts';
import { assertRefuses } from './rejects.ts';
import { headFiles } from './tiny-heads.ts';

const fixtures = new URL('./fixtures/', import.meta.url);
const tinyLongformer = new URL('tiny-longformer/', fixtures);

const test = suite<{ engine: Engine }>('dtype');

test.before(async (context) => {
  context.engine = await createEngine();
});

test.after(({ engine }) => engine.dispose());

test('a checkpoint of halves computes the same as halves and as singles', async ({ engine }) => {
  const charLm = new URL('char-lm/', fixtures);
  await using singles = await LongformerForCausalLM.fromPretrained(charLm, { engine });
  await using halves = await LongformerForCausalLM.fromPretrained(charLm, { engine, dtype: 'f16' });
  const inputIds = Array.from({ length: 300 }, (_, i) => (i * 7) % 20 + 3);
  const [a, b] = [await singles.forward({ inputIds }), await halves.forward({ inputIds })];
  assert.equal(b.logits, a.logits);
});

/** Of all hidden states together. The weights are random, and a score that is off by little may turn to another key. */
const LEAST_COSINE = { f16: 0.9999, int8: 0.98 } as const;

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test('fewer bits give nearly the same, with global tokens folded and not', async ({ engine }) => {
  await using singles = await LongformerModel.fromPretrained(tinyLongformer, { engine });
  const inputIds = Array.from({ length: 90 }, (_, i) => 3 + (i * 7) % 100);
  for (const dtype of ['f16', 'int8'] as const) {
    await using model = await LongformerModel.fromPretrained(tinyLongformer, { engine, dtype });
    for (const globalTokens of [[], [0], inputIds.map((_, i) => i)]) {
      const [a, b] = [await singles.forward({ inputIds, globalTokens }), await model.forward({ inputIds, globalTokens })];
      for (const output of ['lastHiddenState', 'poolerOutput'] as const) {
        const near = cosine(a[output]!.data, b[output]!.data);
        // Not the same either, or the option does nothing.
        assert.ok(near >= LEAST_COSINE[dtype] && near < 1 - 1e-9, `${dtype}, ${globalTokens.length} global tokens, ${output}: ${near}`);
      }
    }
  }
});

test('a search index reads with the dtype that it is given', async ({ engine }) => {
  const root = await mkdtemp(join(tmpdir(), 'dtype-'));
  try {
    const checkpoint = join(root, 'model');
    await convertToLongformer(new URL('tiny-bert/', fixtures), checkpoint, { maxPositions: 100, attentionWindow: 8 });
    const scores = async (dtype: 'f32' | 'int8'): Promise<number[]> => {
      await using index = await SearchIndex.create(checkpoint, { engine, dtype, passages: { maxTokens: 16 } });
      await index.add([{ id: 'a', text: 'one two three\n\nfour five six' }]);
      return (await index.search('three')).map(({ score }) => score);
    };
    const [singles, bytes] = [await scores('f32'), await scores('int8')];
    assert.not.equal(bytes, singles);
    assertClose(bytes, singles, 0.05, 'scores');
  } finally {
    await rm(root, { recursive: true });
  }
});

/** The small checkpoint with another last number in one of its tensors. */
async function withNumber(tensor: string, value: number): Promise<FileSource> {
  const [config, weights] = await Promise.all(['config.json', 'model.safetensors'].map(async (name) => new Uint8Array(await readFile(new URL(name, tinyLongformer)))));
  const view = new DataView(weights!.buffer);
  const data = 8 + Number(view.getBigUint64(0, true));
  const { dtype, data_offsets: [, end] } = JSON.parse(new TextDecoder().decode(weights!.subarray(8, data)))[tensor];
  assert.is(dtype, 'F32');
  view.setFloat32(data + end - 4, value, true);
  return { open: async (name) => name === 'config.json' ? new Blob([config!]) : name === 'model.safetensors' ? new Blob([weights!]) : null };
}

test('a number that no half is near is refused where halves are kept', async ({ engine }) => {
  const [layer, table] = ['encoder.layer.1.output.dense.weight', 'embeddings.word_embeddings.weight'];
  for (const [tensor, value, dtype] of [[layer, -65_520, 'f16'], [table, 1e6, 'f16']] as const) {
    const files = await withNumber(tensor, value);
    const rule = new RegExp(`^the tensor ${tensor} must hold magnitudes below 65520 to be kept as halves, holds ${value}$`);
    await assertRefuses(() => LongformerModel.fromPretrained(files, { engine, dtype }), 'BAD_FILE', rule);
    await (await LongformerModel.fromPretrained(files, { engine })).dispose();
  }
  for (const [tensor, value, dtype] of [[layer, 65_519, 'f16'], [layer, 1e6, 'int8'], [table, 1e6, 'int8'], [table, Infinity, 'f16']] as const) {
    await (await LongformerModel.fromPretrained(await withNumber(tensor, value), { engine, dtype })).dispose();
  }
});

test('what is named stays in single precision', async ({ engine }) => {
  const sequence = { inputIds: Array.from({ length: 60 }, (_, i) => 3 + (i * 7) % 100), globalTokens: [0] };
  const read = async (dtype: 'f32' | 'int8', modulesToNotConvert?: string[]) => {
    await using model = await LongformerModel.fromPretrained(tinyLongformer, { engine, dtype, modulesToNotConvert });
    const { lastHiddenState: { data } } = await model.forward(sequence);
    return { data, bytes: model.plan({ tokens: 16 }).weightBytes };
  };
  const [singles, bytes] = [await read('f32'), await read('int8')];
  const all = await read('int8', ['encoder', 'embeddings', 'pooler']);
  assert.equal(all, singles, 'all of it stays');
  for (const names of [['output.dense'], ['word_embeddings'], ['layer.1.intermediate', 'query']]) {
    const some = await read('int8', names);
    assert.ok(some.bytes > bytes.bytes && some.bytes < singles.bytes, `${names}: ${some.bytes} bytes`);
    assert.not.equal(some.data, bytes.data, `${names}`);
    assert.ok(cosine(some.data, singles.data) >= LEAST_COSINE.int8, `${names}`);
  }
});

test('the layer of logits stays by its own name, where it is the word embeddings, too', async ({ engine }) => {
  const bytesOf = async (modulesToNotConvert: string[]): Promise<number> => {
    await using model = await LongformerForMaskedLM.fromPretrained(await headFiles('masked-lm'), { engine, dtype: 'int8', modulesToNotConvert });
    return model.plan({ tokens: 16 }).weightBytes;
  };
  const [none, decoder, head] = [await bytesOf([]), await bytesOf(['lm_head.decoder']), await bytesOf(['lm_head'])];
  assert.ok(none < decoder && decoder < head, `${none}, ${decoder}, ${head}`);
});

test('names of layers that are in no checkpoint are refused, and so is what is none', async ({ engine }) => {
  for (const names of [['output.dens'], ['dense', 'layer.12'], ['.output']]) {
    await assertRefuses(() => LongformerModel.fromPretrained(tinyLongformer, { engine, dtype: 'int8', modulesToNotConvert: names }), 'BAD_INPUT', /^modulesToNotConvert must be parts of the names of tensors, and "/);
  }
  for (const names of ['dense', [''], [1], {}, null]) {
    await assertRefuses(
      () => LongformerModel.fromPretrained(tinyLongformer, { threads: 0, modulesToNotConvert: names as string[] }), 'BAD_INPUT', /^modulesToNotConvert must be names of layers, got /,
    );
  }
});

test('any other dtype is refused before an engine starts', async () => {
  for (const dtype of ['int4', 'F16', '', null, 8]) {
    await assertRefuses(
      () => LongformerModel.fromPretrained(tinyLongformer, { threads: 0, dtype: dtype as 'f16' }), 'BAD_INPUT', /^dtype must be one of f32, f16, int8, got /,
    );
  }
});

test.run();
