import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer, LongformerError, type ConversionOptions, type FileSource } from 'longformer-wasm';
import { openBlobs } from '../dist/files/blobs.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import type { StoredTensors } from '../dist/files/tensors.js';
import { writeSafetensors, type TensorToWrite } from '../dist/files/safetensors-writer.js';
import { assertRefuses } from './rejects.ts';

const test = suite<{ root: string }>('convert');

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'convert-'));
});

test.after(async ({ root }) => rm(root, { recursive: true }));

const options: ConversionOptions = { maxPositions: 100, attentionWindow: 32 };
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

let targets = 0;
const newTarget = (root: string) => join(root, `target${targets++}`);

/** In memory, so that nothing has to be closed. */
async function weightsOf(directory: string): Promise<StoredTensors> {
  const bytes = await readFile(join(directory, 'model.safetensors'));
  const source = openBlobs({ open: async () => new Blob([new Uint8Array(bytes)]) });
  return openSafetensors((await source.open('model.safetensors'))!);
}

async function jsonOf(directory: string, name = 'config.json'): Promise<any> {
  return JSON.parse(await readFile(join(directory, name), 'utf8'));
}

/** A fixture with some files replaced (or, by null, removed). */
function changed(name: string, files: Record<string, Blob | string | null>): FileSource {
  return {
    async open(file) {
      const replaced = files[file];
      if (replaced !== undefined) return replaced === null ? null : new Blob([replaced]);
      const path = join(fixture(name), file);
      return await stat(path).then((found) => found.isFile(), () => false) ? openAsBlob(path) : null;
    },
  };
}

/** A fixture with some fields of its config.json changed. */
async function configured(name: string, fields: object): Promise<FileSource> {
  return changed(name, { 'config.json': JSON.stringify({ ...await jsonOf(fixture(name)), ...fields }) });
}

/** The weights of a fixture, every tensor passed through `change`; null drops it. */
async function rewritten(name: string, change: (tensor: TensorToWrite) => TensorToWrite | TensorToWrite[] | null): Promise<Blob> {
  const weights = await weightsOf(fixture(name));
  const tensors = [...weights.tensors.values()].flatMap(({ name: tensor, dtype, shape }) =>
    change({ name: tensor, dtype, shape, async* chunks() { yield await weights.read(tensor); } }) ?? []);
  return blobOf(tensors);
}

async function blobOf(tensors: TensorToWrite[]): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of writeSafetensors(tensors)) pieces.push(new Uint8Array(piece));
  return new Blob(pieces);
}

async function rows(weights: StoredTensors, name: string): Promise<string[]> {
  const [count, width] = weights.tensors.get(name)!.shape as [number, number];
  const bytes = await weights.read(name);
  const size = bytes.length / count;
  assert.ok(size % width === 0);
  return Array.from({ length: count }, (_, row) => Buffer.from(bytes.slice(row * size, (row + 1) * size)).toString('hex'));
}

// ---------------------------------------------------------------------------- the recipe

test('BERT: row i goes to row pad_token_id + 1 + i, over and over, the last copy cut', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(fixture('tiny-bert'), target, options);
  const name = 'embeddings.position_embeddings.weight';
  const source = await rows(await weightsOf(fixture('tiny-bert')), name);
  const table = await rows(await weightsOf(target), name);
  assert.is(source.length, 40);
  assert.is(table.length, 101);
  for (let token = 0; token < 100; token++) assert.is(table[1 + token], source[token % 40], `token ${token}`);
  assert.is(table[0], source[0]);
});

test('BERT with another padding id shifts by that', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(await configured('tiny-bert', { pad_token_id: 3 }), target, options);
  const name = 'embeddings.position_embeddings.weight';
  const source = await rows(await weightsOf(fixture('tiny-bert')), name);
  const table = await rows(await weightsOf(target), name);
  assert.is(table.length, 104);
  for (let token = 0; token < 100; token++) assert.is(table[4 + token], source[token % 40], `token ${token}`);
});

test('RoBERTa: rows 0 and 1 are copied too, those from 2 on repeat', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(fixture('tiny-roberta'), target, options);
  const source = await rows(await weightsOf(fixture('tiny-roberta')), 'roberta.embeddings.position_embeddings.weight');
  const table = await rows(await weightsOf(target), 'longformer.embeddings.position_embeddings.weight');
  assert.is(source.length, 42);
  assert.is(table.length, 102);
  assert.equal(table.slice(0, 42), source);
  for (let token = 0; token < 100; token++) assert.is(table[2 + token], source[2 + token % 40], `token ${token}`);
});

test('maxPositions may be a multiple of the source, or less than it', async ({ root }) => {
  for (const maxPositions of [1, 39, 40, 80, 81]) {
    const target = newTarget(root);
    await convertToLongformer(fixture('tiny-roberta'), target, { ...options, maxPositions });
    const source = await rows(await weightsOf(fixture('tiny-roberta')), 'roberta.embeddings.position_embeddings.weight');
    const table = await rows(await weightsOf(target), 'longformer.embeddings.position_embeddings.weight');
    assert.equal(table, [...source.slice(0, 2), ...source.slice(2), ...source.slice(2), ...source.slice(2)].slice(0, maxPositions + 2));
  }
});

test('global projections are the local ones, everything else is the source, byte by byte', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(fixture('tiny-bert'), target, options);
  const [source, result] = [await weightsOf(fixture('tiny-bert')), await weightsOf(target)];
  for (const [name, { shape, dtype }] of result.tensors) {
    if (name.includes('position_embeddings')) continue;
    const old = name.replace('_global.', '.');
    assert.equal({ shape, dtype }, { shape: source.tensors.get(old)!.shape, dtype: source.tensors.get(old)!.dtype });
    assert.equal(await result.read(name), await source.read(old), name);
  }
});

test('the names are those of a LongformerModel', async ({ root }) => {
  const target = newTarget(root);
  const conversion = await convertToLongformer(fixture('tiny-bert'), target, options);
  const ofHuggingFace = [...(await weightsOf(fixture('tiny-longformer'))).tensors.keys()].filter((name) => !/layer\.[23]\./.test(name));
  assert.equal([...(await weightsOf(target)).tensors.keys()].sort(), ofHuggingFace.sort());
  assert.equal(conversion, { architecture: 'LongformerModel', droppedTensors: [] });
});

test('config.json says what the weights are, and keeps what it does not know', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(await configured('tiny-bert', { something_else: [1] }), target, { ...options, attentionWindow: [8, 16], attentionDilation: [1, [1, 2]] });
  const config = await jsonOf(target);
  assert.equal({
    model_type: config.model_type, architectures: config.architectures, max_position_embeddings: config.max_position_embeddings,
    attention_window: config.attention_window, attention_dilation: config.attention_dilation, pad_token_id: config.pad_token_id,
    layer_norm_eps: config.layer_norm_eps, type_vocab_size: config.type_vocab_size, something_else: config.something_else,
  }, {
    model_type: 'longformer', architectures: ['LongformerModel'], max_position_embeddings: 101,
    attention_window: [8, 16], attention_dilation: [1, [1, 2]], pad_token_id: 0,
    layer_norm_eps: 1e-12, type_vocab_size: 2, something_else: [1],
  });
  const plain = newTarget(root);
  // Code that the source brings along computes the source's kind of model.
  await convertToLongformer(await configured('tiny-roberta', { auto_map: { AutoModel: 'theirs.Model' } }), plain, options);
  assert.equal((await jsonOf(plain)).attention_window, [32, 32]);
  assert.not.ok('auto_map' in await jsonOf(plain));
  assert.not.ok('attention_dilation' in await jsonOf(plain));
});

test('defaults of the source class are written out: they are not those of Longformer', async ({ root }) => {
  const { pad_token_id: _pad, layer_norm_eps: _eps, type_vocab_size: _types, ...rest } = await jsonOf(fixture('tiny-bert'));
  const target = newTarget(root);
  await convertToLongformer(changed('tiny-bert', { 'config.json': JSON.stringify({ ...rest, type_vocab_size: null }) }), target, options);
  const { pad_token_id, layer_norm_eps, type_vocab_size } = await jsonOf(target);
  assert.equal({ pad_token_id, layer_norm_eps, type_vocab_size }, { pad_token_id: 0, layer_norm_eps: 1e-12, type_vocab_size: 2 });
});

test('the separator is that of the config, else of the tokenizer', async ({ root }) => {
  const separatorOf = async (source: Parameters<typeof convertToLongformer>[0]): Promise<unknown> => {
    const target = newTarget(root);
    await convertToLongformer(source, target, options);
    return (await jsonOf(target)).sep_token_id;
  };
  assert.is(await separatorOf(fixture('tiny-bert')), 3);
  assert.is(await separatorOf(await configured('tiny-bert', { sep_token_id: 7 })), 7);
  assert.is(await separatorOf(changed('tiny-bert', { 'vocab.txt': null })), undefined);
  assert.is(await separatorOf(changed('tiny-bert', { 'tokenizer.json': '{}' })), undefined);
});

test('a tokenizer that cannot be fetched is not taken for one that is not there', async ({ root }) => {
  const source = changed('tiny-bert', {});
  let failures = 1;
  const failing: FileSource = {
    async open(name) {
      if (name === 'tokenizer_config.json' && failures-- > 0) throw new LongformerError('DOWNLOAD', name, 'failed');
      return source.open(name);
    },
  };
  await assertRefuses(() => convertToLongformer(failing, newTarget(root), options), 'DOWNLOAD', /^tokenizer_config\.json failed/);
});

// ---------------------------------------------------------------------------- heads and names

test('masked language models of both kinds get the same head', async ({ root }) => {
  for (const name of ['tiny-bert-mlm', 'tiny-roberta']) {
    const target = newTarget(root);
    const conversion = await convertToLongformer(fixture(name), target, options);
    assert.equal(conversion, { architecture: 'LongformerForMaskedLM', droppedTensors: [] });
    const names = [...(await weightsOf(target)).tensors.keys()];
    assert.equal(names.filter((tensor) => !tensor.startsWith('longformer.')).sort(),
      ['lm_head.bias', 'lm_head.dense.bias', 'lm_head.dense.weight', 'lm_head.layer_norm.bias', 'lm_head.layer_norm.weight']);
    assert.equal(names.filter((tensor) => /longformer\.(bert|roberta)|gamma|beta/.test(tensor)), []);
  }
});

test('a sequence classifier keeps the pooler as its dense layer', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(fixture('tiny-bert-classifier'), target, options);
  const [source, result] = [await weightsOf(fixture('tiny-bert-classifier')), await weightsOf(target)];
  assert.equal(await result.read('classifier.dense.weight'), await source.read('bert.pooler.dense.weight'));
  assert.equal(await result.read('classifier.out_proj.bias'), await source.read('classifier.bias'));
  assert.equal((await jsonOf(target)).id2label, { 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' });
});

test('a class that needs no pooler drops it and says so', async ({ root }) => {
  const target = newTarget(root);
  const conversion = await convertToLongformer(
    await configured('tiny-bert-classifier', { architectures: ['BertForTokenClassification'] }), target, options);
  assert.is(conversion.architecture, 'LongformerForTokenClassification');
  assert.equal(conversion.droppedTensors.sort(), ['bert.pooler.dense.bias', 'bert.pooler.dense.weight']);
});

test('old names of layer norms, prefixes on a base model, buffers', async ({ root }) => {
  const buffer: TensorToWrite = { name: 'bert.embeddings.position_ids', dtype: 'I64', shape: [1, 40], chunks: () => [new Uint8Array(320)] };
  let first = true;
  const weights = await rewritten('tiny-bert', (tensor) => {
    const renamed = { ...tensor, name: `bert.${tensor.name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}` };
    if (!first) return renamed;
    first = false;
    return [buffer, renamed];
  });
  const [target, plain] = [newTarget(root), newTarget(root)];
  const conversion = await convertToLongformer(changed('tiny-bert', { 'model.safetensors': weights }), target, options);
  await convertToLongformer(fixture('tiny-bert'), plain, options);
  assert.equal(await readFile(join(target, 'model.safetensors')), await readFile(join(plain, 'model.safetensors')));
  assert.equal(conversion.droppedTensors, ['bert.embeddings.position_ids']);
});

test('the number type of the source stays', async ({ root }) => {
  const half = await rewritten('tiny-bert', (tensor) => ({
    ...tensor,
    dtype: 'BF16',
    async* chunks() {
      for await (const chunk of tensor.chunks()) yield chunk.slice(0, chunk.length / 2);
    },
  }));
  const target = newTarget(root);
  await convertToLongformer(changed('tiny-bert', { 'model.safetensors': half }), target, options);
  const result = await weightsOf(target);
  assert.equal([...new Set([...result.tensors.values()].map(({ dtype }) => dtype))], ['BF16']);
  assert.is((await rows(result, 'embeddings.position_embeddings.weight')).length, 101);
});

test('weights in shards give the same as in one file', async ({ root }) => {
  const shard = (keep: (name: string) => boolean) => rewritten('tiny-bert', (tensor) => keep(tensor.name) ? tensor : null);
  const isFirst = (name: string) => name.includes('layer.0');
  const names = [...(await weightsOf(fixture('tiny-bert'))).tensors.keys()];
  const weight_map = Object.fromEntries(names.map((name) => [name, isFirst(name) ? 'a.safetensors' : 'b.safetensors']));
  const files = {
    'model.safetensors': null,
    'model.safetensors.index.json': JSON.stringify({ weight_map }),
    'a.safetensors': await shard(isFirst),
    'b.safetensors': await shard((name) => !isFirst(name)),
  };
  const [target, plain] = [newTarget(root), newTarget(root)];
  await convertToLongformer(changed('tiny-bert', files), target, options);
  await convertToLongformer(fixture('tiny-bert'), plain, options);
  assert.equal(await readFile(join(target, 'model.safetensors')), await readFile(join(plain, 'model.safetensors')));

  const convert = (change: Record<string, Blob | string | null>) => () => convertToLongformer(changed('tiny-bert', { ...files, ...change }), newTarget(root), options);
  await assertRefuses(convert({ 'a.safetensors': null }), 'NOT_FOUND', /a\.safetensors must be there/);
  await assertRefuses(convert({ 'a.safetensors': files['b.safetensors'] }), 'BAD_FILE', /a\.safetensors, tensor ".*layer\.0.*" must be there/);
  await assertRefuses(convert({ 'model.safetensors.index.json': '{}' }), 'BAD_FILE', /weight_map must be an object/);
  await assertRefuses(convert({ 'model.safetensors.index.json': '{"weight_map": {"a": 1}}' }), 'BAD_FILE', /weight_map must map to file names, got 1 for "a"/);
});

// ---------------------------------------------------------------------------- other files

test('tokenizer and sentence files go along, their limits on length do not', async ({ root }) => {
  const tokenizer = { version: '1.0', truncation: { max_length: 20 }, padding: { strategy: { Fixed: 20 } }, model: { vocab: { a: 0 } } };
  const target = newTarget(root);
  await convertToLongformer(changed('tiny-bert', { 'tokenizer.json': JSON.stringify(tokenizer) }), target, options);
  for (const name of ['vocab.txt', 'modules.json', '1_Pooling/config.json']) {
    assert.is(await readFile(join(target, name), 'utf8'), await readFile(join(fixture('tiny-bert'), name), 'utf8'), name);
  }
  assert.equal(await jsonOf(target, 'tokenizer.json'), { ...tokenizer, truncation: null, padding: null });
  assert.equal(await jsonOf(target, 'tokenizer_config.json'), { tokenizer_class: 'BertTokenizer', do_lower_case: true, model_max_length: 100 });
  assert.equal(await jsonOf(target, 'sentence_bert_config.json'), { max_seq_length: 100, do_lower_case: false });
  assert.equal((await readdir(target)).sort(), ['1_Pooling', 'config.json', 'model.safetensors', 'modules.json',
    'sentence_bert_config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt']);
});

test('the class of the tokenizer is written out where the source left it to its model type', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(fixture('tiny-roberta'), target, options);
  assert.equal(await jsonOf(target, 'tokenizer_config.json'), { tokenizer_class: 'RobertaTokenizer', model_max_length: 100 });
});

test('folders that modules.json names must lie inside the source', async ({ root }) => {
  const source = await mkdtemp(join(root, 'hostile-'));
  for (const name of ['config.json', 'model.safetensors']) await copyFile(join(fixture('tiny-bert'), name), join(source, name));
  await writeFile(join(source, 'modules.json'), JSON.stringify([{ path: '../elsewhere' }]));
  await assertRefuses(() => convertToLongformer(source, newTarget(root), options), 'BAD_FILE', /"\.\.\/elsewhere\/config\.json" must stay inside/);
});

test('files that a caller brings do not get out of the target either', async ({ root }) => {
  const parent = await mkdtemp(join(root, 'parent-'));
  for (const path of ['../ESCAPED', '1_Pooling/../../ESCAPED', join(parent, 'ESCAPED'), '..\\ESCAPED', 'C:ESCAPED']) {
    const real = changed('tiny-bert', { 'modules.json': JSON.stringify([{ path }]) });
    const files: FileSource = { open: async (name) => name.includes('ESCAPED') ? new Blob(['{}']) : real.open(name) };
    await assertRefuses(() => convertToLongformer(files, join(parent, 'target'), options), 'BAD_FILE', /ESCAPED.*must stay inside/);
    assert.equal(await readdir(parent), []);
  }
});

test('a folder that modules.json names twice is copied once', async ({ root }) => {
  const target = newTarget(root);
  const modules = ['', '.', '1_Pooling', './1_Pooling', '1_Pooling/'].map((path) => ({ path }));
  await convertToLongformer(changed('tiny-bert', { 'modules.json': JSON.stringify(modules) }), target, options);
  assert.equal((await readdir(target)).filter((name) => /pool/i.test(name)), ['1_Pooling']);
});

// ---------------------------------------------------------------------------- all or nothing

test('progress counts up to the bytes that were written', async ({ root }) => {
  const seen: number[] = [];
  const target = newTarget(root);
  await convertToLongformer(fixture('tiny-bert'), target, {
    ...options,
    onProgress: ({ stage, name, done, total, unit }) => {
      assert.equal({ stage, name, unit }, { stage: 'load', name: 'model.safetensors', unit: 'bytes' });
      assert.ok(done >= (seen.at(-2) ?? 0) && done <= total);
      seen.push(done, total);
    },
  });
  const result = await weightsOf(target);
  assert.is(seen.at(-2), [...result.tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0));
  assert.is(seen.at(-2), seen.at(-1));
});

test('a listener that throws does not end the conversion, and its errors are uncaught ones', async ({ root }) => {
  const uncaught: string[] = [];
  const listen = (error: Error): void => { uncaught.push(error.message); };
  process.on('uncaughtException', listen);
  try {
    const target = newTarget(root);
    await convertToLongformer(fixture('tiny-bert'), target, { ...options, onProgress: () => { throw new Error('of the listener'); } });
    assert.ok((await weightsOf(target)).tensors.size > 0);
  } finally {
    process.off('uncaughtException', listen);
  }
  assert.equal([...new Set(uncaught)], ['of the listener']);
});

test('large tensors are read in pieces', async ({ root }) => {
  const vocab_size = 150_000;
  const weights = await rewritten('tiny-bert', (tensor) => tensor.name !== 'embeddings.word_embeddings.weight' ? tensor
    : { ...tensor, shape: [vocab_size, 16], chunks: () => [new Uint8Array(vocab_size * 64)] });
  const files = changed('tiny-bert', {
    'config.json': JSON.stringify({ ...await jsonOf(fixture('tiny-bert')), vocab_size }),
    'model.safetensors': weights,
  });
  let largest = 0;
  const watched: FileSource = {
    async open(name) {
      const blob = await files.open(name);
      if (blob === null || name !== 'model.safetensors') return blob;
      const slice = blob.slice.bind(blob);
      blob.slice = (start = 0, end = blob.size) => {
        largest = Math.max(largest, end - start);
        return slice(start, end);
      };
      return blob;
    },
  };
  const target = newTarget(root);
  await convertToLongformer(watched, target, options);
  assert.is(largest, 4 * 2 ** 20);
  assert.is((await weightsOf(target)).tensors.get('embeddings.word_embeddings.weight')!.shape[0], vocab_size);
});

test('an abort rejects with its reason and leaves nothing', async ({ root }) => {
  const parent = await mkdtemp(join(root, 'parent-'));
  const controller = new AbortController();
  let chunks = 0;
  const conversion = convertToLongformer(fixture('tiny-bert'), join(parent, 'target'), {
    ...options,
    signal: controller.signal,
    onProgress: () => {
      if (++chunks === 5) controller.abort(new Error('enough'));
    },
  });
  assert.is(await conversion.catch((error) => error.message), 'enough');
  assert.is(chunks, 5);
  assert.equal(await readdir(parent), []);
});

test('a conversion that fails leaves nothing', async ({ root }) => {
  const parent = await mkdtemp(join(root, 'parent-'));
  const files = changed('tiny-bert', { 'tokenizer_config.json': '{' }); // read after the weights are written
  await assertRefuses(() => convertToLongformer(files, join(parent, 'target'), options), 'BAD_FILE', /tokenizer_config\.json must be JSON/);
  assert.equal(await readdir(parent), []);
});

test('an existing target is refused unless it is an empty directory', async ({ root }) => {
  const target = newTarget(root);
  await mkdir(target);
  await convertToLongformer(fixture('tiny-bert'), target, options);
  const before = await readFile(join(target, 'model.safetensors'));
  await assertRefuses(() => convertToLongformer(fixture('tiny-roberta'), target, options), 'BAD_INPUT', /must be a new or an empty directory, holds \w+/);
  await assertRefuses(() => convertToLongformer(target, target, options), 'BAD_FILE', /model_type must be "bert" or "roberta", got "longformer"/);
  assert.equal(await readFile(join(target, 'model.safetensors')), before);
  await writeFile(`${target}.txt`, '');
  await assertRefuses(() => convertToLongformer(fixture('tiny-bert'), `${target}.txt`, options), 'BAD_INPUT', /must be a new directory/);
});

test('folders above the target are made, and everyone may read it who may read new folders', async ({ root }) => {
  const target = join(newTarget(root), 'deep', 'down');
  await convertToLongformer(fixture('tiny-bert'), target, options);
  const fresh = newTarget(root);
  await mkdir(fresh);
  assert.is((await stat(target)).mode, (await stat(fresh)).mode);
});

// ---------------------------------------------------------------------------- refusals

test('options out of range', async ({ root }) => {
  const convert = (changes: object) => () => convertToLongformer(fixture('tiny-bert'), newTarget(root), { ...options, ...changes });
  for (const maxPositions of [0, -1, 1.5, NaN, 2 ** 20 + 1, '100', undefined]) {
    await assertRefuses(convert({ maxPositions }), 'BAD_INPUT', /^maxPositions must be a whole number from 1 to 1048576, got/);
  }
  for (const dtype of ['f32', 'f16', null]) {
    await assertRefuses(convert({ dtype } as object), 'BAD_INPUT', /^dtype must be given where the result is loaded, .* got ("f32"|"f16"|null)/);
  }
  await assertRefuses(convert({ attentionWindow: 31 }), 'BAD_INPUT', /^attentionWindow must be an even number above 0 .*got 31/);
  await assertRefuses(convert({ attentionWindow: undefined }), 'BAD_INPUT', /^attentionWindow must be/);
  await assertRefuses(convert({ attentionWindow: [32] }), 'BAD_INPUT', /^attentionWindow must have one entry per layer, 2, has 1/);
  await assertRefuses(convert({ attentionDilation: [1, [1, 0]] }), 'BAD_INPUT', /^attentionDilation\[1\]\[1\] must be/);
  await assertRefuses(convert({ attentionDilation: [1, [1, 1, 1]] }), 'BAD_INPUT', /^attentionDilation\[1\] must have one entry per head, 2, has 3/);
});

test('sources that are no BERT or RoBERTa, or compute something else', async ({ root }) => {
  const convert = (fields: object) => async () => convertToLongformer(await configured('tiny-bert', fields), newTarget(root), options);
  await assertRefuses(convert({ model_type: 'distilbert' }), 'BAD_FILE', /config\.json: model_type must be "bert" or "roberta", got "distilbert"/);
  await assertRefuses(convert({ model_type: undefined }), 'BAD_FILE', /model_type must be/);
  await assertRefuses(convert({ position_embedding_type: 'relative_key' }), 'BAD_FILE', /position_embedding_type must be "absolute"/);
  await assertRefuses(convert({ is_decoder: true }), 'BAD_FILE', /is_decoder must be false/);
  await assertRefuses(convert({ hidden_act: 'relu' }), 'BAD_FILE', /hidden_act must be "gelu".*got "relu"/);
  await assertRefuses(convert({ architectures: ['BertForNextSentencePrediction'] }), 'BAD_FILE', /architectures must be one of BertModel, .*got \["BertForNext/);
  await assertRefuses(convert({ num_attention_heads: 3 }), 'BAD_FILE', /hidden_size must be a multiple of num_attention_heads = 3/);
});

test('sources in PyTorch files give the same tensors', async ({ root }) => {
  for (const [name, buffer] of [['tiny-bert', 'embeddings.position_ids'], ['tiny-roberta', 'roberta.embeddings.position_ids']] as const) {
    const pickled = changed(name, { 'model.safetensors': null, 'pytorch_model.bin': await openAsBlob(fixture(`pytorch/${name}.bin`)) });
    const [fromBin, fromSafetensors] = [newTarget(root), newTarget(root)];
    const { droppedTensors } = await convertToLongformer(pickled, fromBin, options);
    const original = await convertToLongformer(fixture(name), fromSafetensors, options);
    assert.equal(droppedTensors.filter((tensor) => !original.droppedTensors.includes(tensor)), [buffer]);
    const [a, b] = [await weightsOf(fromBin), await weightsOf(fromSafetensors)];
    assert.equal(new Set(a.tensors.keys()), new Set(b.tensors.keys()));
    for (const tensor of b.tensors.keys()) assert.equal(await a.read(tensor), await b.read(tensor), tensor);
  }
});

test('a mode of AI2 does not go along, as the new window counts both sides', async ({ root }) => {
  const target = newTarget(root);
  await convertToLongformer(await configured('tiny-roberta', { attention_mode: 'n2', attention_window: [256, 256] }), target, options);
  const { attention_mode, attention_window } = await jsonOf(target);
  assert.is(attention_mode, undefined);
  assert.equal(attention_window, [32, 32]);
});

test('sources without config or weights', async ({ root }) => {
  const convert = (files: Record<string, string | null>) => () => convertToLongformer(changed('tiny-bert', files), newTarget(root), options);
  await assertRefuses(() => convertToLongformer(join(root, 'absent'), newTarget(root), options), 'NOT_FOUND', /absent must be a directory/);
  await assertRefuses(convert({ 'config.json': null }), 'NOT_FOUND', /config\.json must be there/);
  await assertRefuses(convert({ 'config.json': '[]' }), 'BAD_FILE', /config\.json/);
  await assertRefuses(convert({ 'model.safetensors': null }), 'NOT_FOUND', /model\.safetensors must be there, is not, nor is pytorch_model\.bin$/);
  await assertRefuses(convert({ 'model.safetensors': null, 'pytorch_model.bin': 'x' }), 'BAD_FILE', /pytorch_model\.bin must be a file that torch\.save wrote/);
  await assertRefuses(convert({ 'model.safetensors': 'x' }), 'BAD_FILE', /model\.safetensors must begin with/);
});

test('weights that do not fit their config', async ({ root }) => {
  const convert = (weights: Blob, fields = {}) => async () => convertToLongformer(
    changed('tiny-bert', { 'model.safetensors': weights, 'config.json': JSON.stringify({ ...await jsonOf(fixture('tiny-bert')), ...fields }) }), newTarget(root), options);
  const whole = await rewritten('tiny-bert', (tensor) => tensor);
  await assertRefuses(convert(whole, { num_hidden_layers: 3 }), 'BAD_FILE', /BertModel must have a tensor that becomes encoder\.layer\.2\.attention/);
  await assertRefuses(convert(whole, { max_position_embeddings: 41 }), 'BAD_FILE', /position_embeddings\.weight" must have shape \[41,16\] by config\.json, has \[40,16\]/);
  await assertRefuses(convert(whole, { architectures: ['BertForMaskedLM'] }), 'BAD_FILE', /becomes lm_head\.dense\.weight, has none/);
  const without = await rewritten('tiny-bert', (tensor) => tensor.name === 'encoder.layer.1.attention.self.key.bias' ? null : tensor);
  await assertRefuses(convert(without), 'BAD_FILE', /becomes encoder\.layer\.1\.attention\.self\.key\.bias, has none/);
  const twice = await rewritten('tiny-bert', (tensor) => tensor.name === 'embeddings.LayerNorm.weight' ? [tensor, { ...tensor, name: 'embeddings.LayerNorm.gamma' }] : tensor);
  await assertRefuses(convert(twice), 'BAD_FILE', /must be there once, is there as "embeddings\.LayerNorm\.(weight|gamma)" too/);
});

test.run();
