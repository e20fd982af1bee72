import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bandsOf, parseConfig, readConfig } from '../dist/config.js';
import { assertRefuses } from './rejects.ts';

const test = suite('config');

const parse = (json: unknown) => parseConfig(json, 'model/config.json');

/** A small valid config with some fields changed. */
const small = (changes: object = {}) => ({
  model_type: 'longformer', num_hidden_layers: 3, num_attention_heads: 2, hidden_size: 8, attention_window: [4, 8, 8], ...changes,
});

const refuses = (changes: object, ...patterns: RegExp[]) =>
  assertRefuses(() => parse(small(changes)), 'BAD_FILE', /^model\/config\.json/, ...patterns);

test('missing fields have the defaults of LongformerConfig', () => {
  const { json, attention_window, attention_dilation, ...rest } = parse({});
  assert.equal(json, {});
  assert.equal(attention_window, Array(12).fill(512));
  assert.equal(attention_dilation, Array(12).fill(Array(12).fill(1)));
  assert.equal(rest, {
    architectures: [], vocab_size: 30522, hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12,
    intermediate_size: 3072, hidden_act: 'gelu', max_position_embeddings: 512, type_vocab_size: 2,
    layer_norm_eps: 1e-12, pad_token_id: 1, sep_token_id: 2, autoregressive: false, norm_first: false,
  });
});

test('null means the default too', () => {
  assert.is(parse({ vocab_size: null, attention_dilation: null }).vocab_size, 30522);
});

test('config.json is kept as read, unknown fields included', () => {
  const json = small({ attention_window: 16, attention_mode: 'longformer', ignore_attention_mask: false });
  assert.is(parse(json).json, json);
  assert.equal(parse(json).attention_window, [16, 16, 16]);
});

test('AI2 counts windows on one side, Hugging Face on both', async () => {
  for (const attention_mode of ['sliding_chunks', 'tvm']) {
    assert.equal(parse(small({ attention_mode })).attention_window, [8, 16, 16]);
    assert.equal(parse(small({ attention_mode, attention_window: 3 })).attention_window, [6, 6, 6]);
    assert.equal(bandsOf(parse(small({ attention_mode, attention_window: 256 })))[0]!.oneSidedWindow, 256);
    for (const model_type of ['roberta', undefined]) assert.equal(parse(small({ attention_mode, model_type })).attention_window, [8, 16, 16]);
  }
  for (const attention_mode of ['longformer', null]) assert.equal(parse(small({ attention_mode })).attention_window, [4, 8, 8]);
  for (const attention_mode of ['n2', 'sliding_chunks_no_overlap', 7]) {
    await refuses({ attention_mode }, /: attention_mode must be "sliding_chunks" or "tvm", others attend to other keys, got /);
  }
  for (const [window, place] of [[0, ''], [1.5, ''], [2 ** 30, ''], [[4, 0, 4], '\\[1\\]']] as const) {
    await refuses({ attention_mode: 'tvm', attention_window: window }, new RegExp(`: attention_window${place} must be a whole number above 0 \\(it counts one side\\)`));
  }
  await refuses({ attention_mode: 'tvm', attention_window: [4, 4] }, /must have one entry per layer, 3, has 2/);
});

test('is read from a source', async () => {
  const source = (text: string | null) => ({
    label: 'model',
    open: async (name: string) => text === null || name !== 'config.json' ? null : {
      name: 'model/config.json', size: text.length, close: async () => {},
      read: async () => new TextEncoder().encode(text),
    },
  });
  assert.is((await readConfig(source(JSON.stringify(small())))).hidden_size, 8);
  await assertRefuses(() => readConfig(source(null)), 'NOT_FOUND', /model\/config\.json must be there/);
  await assertRefuses(() => readConfig(source('{')), 'BAD_FILE', /model\/config\.json must be JSON/);
  await assertRefuses(() => readConfig(source('[]')), 'BAD_FILE', /model\/config\.json must be a JSON object, got \[\]/);
});

test('sizes must be whole numbers in range', async () => {
  for (const field of ['vocab_size', 'hidden_size', 'num_hidden_layers', 'num_attention_heads', 'intermediate_size',
    'max_position_embeddings', 'type_vocab_size']) {
    for (const value of [0, -1, 1.5, '8', true, [], 1e300]) {
      await refuses({ [field]: value }, new RegExp(`: ${field} must be a whole number from \\d+ to \\d+, got `));
    }
  }
  await refuses({ num_hidden_layers: 1e9, attention_window: 4 }, /num_hidden_layers must be a whole number from 1 to 1024/);
});

test('hidden_size must be a multiple of the heads', async () => {
  await refuses({ hidden_size: 9 }, /hidden_size must be a multiple of num_attention_heads = 2, got 9/);
});

test('pad_token_id must be an id, and leave a position for tokens', async () => {
  assert.is(parse(small({ pad_token_id: 0 })).pad_token_id, 0);
  for (const pad_token_id of [-1, 30522, 1.5]) await refuses({ pad_token_id }, /pad_token_id must be a whole number from 0 to 30521/);
  await refuses({ max_position_embeddings: 2 }, /max_position_embeddings must be a whole number from 3/);
});

test('only the exact gelu', async () => {
  for (const hidden_act of ['relu', 'gelu_new', 'gelu_pytorch_tanh', 3]) await refuses({ hidden_act }, /hidden_act must be "gelu".*got/);
});

test('layer_norm_eps must be a number above 0', async () => {
  for (const layer_norm_eps of [0, -1e-5, '1e-5', 1e999]) await refuses({ layer_norm_eps }, /layer_norm_eps must be a number above 0/);
});

test('attention_window must be even, above 0, and have one entry per layer', async () => {
  await refuses({ attention_window: [4, 511, 8] }, /attention_window\[1\] must be an even number above 0 .*, got 511/);
  for (const attention_window of [0, -2, 3, 4.5, '4', {}, 2 ** 40]) await refuses({ attention_window }, /attention_window must be an even number above 0/);
  await refuses({ attention_window: [4, 8] }, /attention_window must have one entry per layer, 3, has 2/);
  await refuses({ attention_window: [] }, /one entry per layer, 3, has 0/);
});

test('attention_dilation: one for all, per layer, per head', async () => {
  const dilations = (attention_dilation: unknown) => parse(small({ attention_dilation })).attention_dilation;
  assert.equal(dilations(3), [[3, 3], [3, 3], [3, 3]]);
  assert.equal(dilations([1, 2, 4]), [[1, 1], [2, 2], [4, 4]]);
  assert.equal(dilations([1, [1, 2], 4]), [[1, 1], [1, 2], [4, 4]]);
  await refuses({ attention_dilation: [1, 2] }, /attention_dilation must have one entry per layer, 3, has 2/);
  await refuses({ attention_dilation: [1, [1, 2, 3], 1] }, /attention_dilation\[1\] must have one entry per head, 2, has 3/);
  await refuses({ attention_dilation: [1, [1, 0], 1] }, /attention_dilation\[1\]\[1\] must be a whole number above 0 .*, got 0/);
  for (const attention_dilation of [0, -1, 1.5, '1', {}]) await refuses({ attention_dilation }, /attention_dilation must be a whole number above 0/);
});

test('switches must be true or false', async () => {
  const config = parse(small({ autoregressive: true, norm_first: true }));
  assert.ok(config.autoregressive && config.norm_first);
  for (const field of ['autoregressive', 'norm_first']) await refuses({ [field]: 1 }, new RegExp(`${field} must be true or false, got 1`));
});

test('architectures must be a list of strings', async () => {
  assert.equal(parse(small({ architectures: ['LongformerModel'] })).architectures, ['LongformerModel']);
  for (const architectures of ['LongformerModel', [1]]) await refuses({ architectures }, /architectures must be a list of strings/);
});

test('other model types are refused, unless they carry a window', async () => {
  await refuses({ model_type: 'gpt2' }, /model_type must be "longformer", got "gpt2"/);
  await assertRefuses(() => parse({ model_type: 'bert' }), 'BAD_FILE', /convertToLongformer first, got "bert"/);
  assert.is(parse(small({ model_type: 'roberta' })).hidden_size, 8);
});

test('bands count one side, with dilations per head', () => {
  assert.equal(bandsOf(parse(small({ attention_dilation: [1, 1, [1, 3]] }))), [
    { oneSidedWindow: 2, dilations: [1, 1] },
    { oneSidedWindow: 4, dilations: [1, 1] },
    { oneSidedWindow: 4, dilations: [1, 3] },
  ]);
});

test('a window of the caller replaces the one of the config', async () => {
  const config = parse(small());
  assert.equal(bandsOf(config, 32).map((band) => band.oneSidedWindow), [16, 16, 16]);
  assert.equal(bandsOf(config, [2, 4, 6]).map((band) => band.oneSidedWindow), [1, 2, 3]);
  await assertRefuses(() => bandsOf(config, 31), 'BAD_INPUT', /attentionWindow must be an even number above 0 .*, got 31/);
  await assertRefuses(() => bandsOf(config, [2, 4]), 'BAD_INPUT', /attentionWindow must have one entry per layer, 3, has 2/);
});

test.run();
