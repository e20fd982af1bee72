// The character model of fixtures/char-lm: dilated heads, windows that grow, layer norm first, no look ahead.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from 'node:fs/promises';
import { createEngine, LongformerForCausalLM, LongformerModel, type Engine, type FileSource, type Progress, type Tensor } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import { writeSafetensors } from '../dist/files/safetensors-writer.js';
import { assertClose } from './close.ts';
import { assertRefuses } from './rejects.ts';

interface Expected {
  bitsPerCharacter: number;
  bitsPerCharacterUndilated: number;
  rows: number[];
  logits: number[][];
  texts: string[];
}

const folder = new URL('./fixtures/char-lm/', import.meta.url);
const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(new URL(name, folder), 'utf8'));
const config = await json('config.json') as Record<string, unknown>;
const vocab = await json('vocab.json') as Record<string, number>;
const expected = await json('expected.json') as Expected;
const weights = await openSafetensors((await (await openSource(folder)).open('model.safetensors'))!);

const idsOf = (text: string): number[] => Array.from(text, (character) => vocab[character] ?? vocab['[UNK]']!);
const texts = expected.texts.map(idsOf);
const vocabSize = config['vocab_size'] as number;

/** Logits are up to 13. Those of float64 and of this differ by up to 6e-6, bits per character by 3e-8. */
const TOLERANCE = 5e-5;
const BITS_TOLERANCE = 1e-6;

type Added = Record<string, { shape: number[]; dtype: 'F16' | 'F32'; bytes: Uint8Array }>;

/** The checkpoint with other config fields, and tensors added to its own. */
async function files(change: { config?: object; tensors?: Added }): Promise<FileSource> {
  const own = [...weights.tensors.values()].map(({ name, dtype, shape }) =>
    ({ name, dtype, shape, async *chunks() { yield await weights.read(name); } }));
  const added = Object.entries(change.tensors ?? {}).map(([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, chunks: () => [bytes] }));
  const parts: BlobPart[] = [];
  for await (const part of writeSafetensors([...own, ...added])) parts.push(part as BlobPart);
  return {
    open: async (name) => name === 'config.json' ? new Blob([JSON.stringify({ ...config, ...change.config })])
      : name === 'model.safetensors' ? new Blob(parts) : null,
  };
}

/** Of every character but the first of each text. */
function bitsPerCharacter(logits: Tensor[]): number {
  let [bits, characters] = [0, 0];
  for (const [i, { data }] of logits.entries()) {
    for (const [row, next] of texts[i]!.slice(1).entries()) {
      const scores = [...data.subarray(row * vocabSize, (row + 1) * vocabSize)];
      const most = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
      bits += (most + Math.log(total) - scores[next]!) / Math.LN2;
      characters += 1;
    }
  }
  return bits / characters;
}

const test = suite<{ engine: Engine; model: LongformerForCausalLM }>('causal lm');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 2 });
  context.model = await LongformerForCausalLM.fromPretrained(folder, { engine: context.engine });
});

test.after(({ engine }) => engine.dispose());

const all = async (model: LongformerForCausalLM): Promise<Tensor[]> =>
  (await model.forward(texts.map((inputIds) => ({ inputIds })))).map(({ logits }) => logits);

test('reads a text as well as PyTorch does', async ({ model }) => {
  assertClose([bitsPerCharacter(await all(model))], [expected.bitsPerCharacter], BITS_TOLERANCE, 'bits per character');
});

test('reads it worse with its dilated heads switched off, as PyTorch does', async ({ engine }) => {
  await using model = await LongformerForCausalLM.fromPretrained(await files({ config: { attention_dilation: 1 } }), { engine });
  const bits = bitsPerCharacter(await all(model));
  assertClose([bits], [expected.bitsPerCharacterUndilated], BITS_TOLERANCE, 'bits per character');
  assert.ok(bits > expected.bitsPerCharacter + 0.03);
});

test('gives the logits of PyTorch, of all rows or of some', async ({ model }) => {
  const whole = (await model.forward({ inputIds: texts[0]! })).logits;
  assert.equal(whole.dims, [texts[0]!.length, vocabSize]);
  const { logits } = await model.forward({ inputIds: texts[0]! }, { positions: expected.rows });
  assert.equal(logits.dims, [expected.rows.length, vocabSize]);
  for (const [i, row] of expected.rows.entries()) {
    const some = logits.data.subarray(i * vocabSize, (i + 1) * vocabSize);
    assertClose(some, expected.logits[i]!, TOLERANCE, `row ${row}`);
    assert.equal(some, whole.data.subarray(row * vocabSize, (row + 1) * vocabSize));
  }
});

test('what comes later changes no earlier bit, through global tokens neither', async ({ model }) => {
  const changed = texts[0]!.map((id, i) => (i < 300 ? id : texts[1]![i]!));
  for (const globalTokens of [[], [0, 120, 299, 300, 450]]) {
    const [one, other] = await model.forward([{ inputIds: texts[0]!, globalTokens }, { inputIds: changed, globalTokens }], { maxBatchTokens: 1 });
    assert.equal(one!.logits.data.subarray(0, 300 * vocabSize), other!.logits.data.subarray(0, 300 * vocabSize));
    assert.not.equal(one!.logits.data.subarray(300 * vocabSize), other!.logits.data.subarray(300 * vocabSize));
  }
});

test('a global token is seen from afar, by later tokens', async ({ model }) => {
  const first = texts[0]!;
  const changed = [first[1]!, ...first.slice(1)];
  const rowOf = async (inputIds: number[], globalTokens: number[]): Promise<Float32Array> =>
    (await model.forward({ inputIds, globalTokens }, { positions: [first.length - 1] })).logits.data;
  // The windows of all layers together reach 8 + 8 + 16 + 2 * 16 + 3 * 32 + 4 * 64 = 416 characters back.
  assert.equal(await rowOf(first, []), await rowOf(changed, []));
  assert.not.equal(await rowOf(first, [0]), await rowOf(changed, [0]));
});

test('a ragged batch equals single runs', async ({ model }) => {
  const ragged = texts.map((ids, i) => ({ inputIds: ids.slice(0, [1, 2, 30, 77, 200, 333, 511, 512][i]) }));
  const batch = await model.forward(ragged);
  for (const [i, sequence] of ragged.entries()) {
    // Where blocks of queries begin depends on the batch, and with it the order of additions in a softmax.
    assertClose(batch[i]!.logits.data, (await model.forward(sequence)).logits.data, TOLERANCE, `${sequence.inputIds.length} characters`);
  }
});

test('threads give the same bits', async ({ model }) => {
  await using alone = await LongformerForCausalLM.fromPretrained(folder, { threads: 1 });
  const sequence = { inputIds: texts[0]!, globalTokens: [5] };
  assert.equal((await alone.forward(sequence)).logits.data, (await model.forward(sequence)).logits.data);
});

test('tied weights are read twice, and told once', async ({ engine }) => {
  const seen: Progress[] = [];
  await using model = await LongformerForCausalLM.fromPretrained(folder, { engine, onProgress: (progress) => seen.push(progress) });
  assert.is(seen.at(-1)!.done, seen.at(-1)!.total);
  assert.ok(seen.every(({ done, total }) => done <= total));
  assert.is(model.config['tie_word_embeddings'], true);
});

test('a head of its own, with a bias, is taken instead', async ({ engine, model }) => {
  const words = await weights.read('longformer.embeddings.word_embeddings.weight');
  const bias = Float32Array.from({ length: vocabSize }, (_, id) => id / 8);
  const own = await files({
    config: { tie_word_embeddings: false },
    tensors: {
      'lm_head.weight': { dtype: 'F16', shape: [vocabSize, config['hidden_size'] as number], bytes: words },
      'lm_head.bias': { dtype: 'F32', shape: [vocabSize], bytes: new Uint8Array(bias.buffer) },
    },
  });
  await using untied = await LongformerForCausalLM.fromPretrained(own, { engine });
  const sequence = { inputIds: texts[0]!.slice(0, 50) };
  const { logits } = await model.forward(sequence);
  assertClose((await untied.forward(sequence)).logits.data, logits.data.map((x, i) => x + bias[i % vocabSize]!), TOLERANCE, 'logits');
  await assertRefuses(
    async () => LongformerForCausalLM.fromPretrained(await files({ config: { tie_word_embeddings: false } }), { engine }),
    'NOT_FOUND', /lm_head\.weight must be in the checkpoint/,
  );
});

test('without projections for global tokens the local ones serve, in all layers or in none', async ({ engine, model }) => {
  const names = [...weights.tensors.keys()].filter((name) => /\.self\.(query|key|value)\./.test(name));
  const tensors: Added = {};
  for (const name of names) {
    const { shape } = weights.tensors.get(name)!;
    tensors[name.replace(/(query|key|value)\./, '$1_global.')] = { shape: [...shape], dtype: 'F16', bytes: await weights.read(name) };
  }
  const sequence = { inputIds: texts[0]!, globalTokens: [3, 200] };
  await using separate = await LongformerForCausalLM.fromPretrained(await files({ tensors }), { engine });
  assert.equal((await separate.forward(sequence)).logits.data, (await model.forward(sequence)).logits.data);
  const some = Object.fromEntries(Object.entries(tensors).filter(([name]) => name.includes('.layer.2.')));
  await assertRefuses(
    async () => LongformerForCausalLM.fromPretrained(await files({ tensors: some }), { engine }),
    'NOT_FOUND', /layer\.0\.attention\.self\.query_global\.weight must be in the checkpoint/,
  );
});

test('the base model gives what the logits are made of', async ({ engine, model }) => {
  await using base = await LongformerModel.fromPretrained(folder, { engine });
  const sequence = { inputIds: texts[0]!.slice(0, 40) };
  const { lastHiddenState, hiddenStates } = await base.forward(sequence, { outputHiddenStates: true });
  assert.equal(lastHiddenState.dims, [40, config['hidden_size'] as number]);
  // The last norm stands outside of the layers.
  assert.is(hiddenStates!.length, 7);
  assert.not.equal(hiddenStates![6]!.data, lastHiddenState.data);
  const withHiddenStates = await model.forward(sequence, { outputHiddenStates: [6] });
  assert.equal(withHiddenStates.hiddenStates![0]!.data, hiddenStates![6]!.data);
});

test('refuses a config that is not causal, and more characters than positions', async ({ engine, model }) => {
  await assertRefuses(
    async () => LongformerForCausalLM.fromPretrained(await files({ config: { autoregressive: false } }), { engine }),
    'BAD_FILE', /config\.json: autoregressive must be true for LongformerForCausalLM/,
  );
  await assertRefuses(() => model.forward({ inputIds: Array(513).fill(5) }), 'BAD_INPUT', /inputIds must have at most 512 tokens/);
});

test.run();
