// What a caller can get wrong in any call: refused by name, before anything is begun.

import { suite } from 'uvu';
import {
  convertToLongformer, createEngine, loadModel, LongformerModel, patternSvg, pipeline, SearchIndex, Tokenizer, tokensInRanges, type Engine,
} from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';
import { tinyPipeline } from './tiny-pipelines.ts';

const model = new URL('./fixtures/tiny-longformer/', import.meta.url);

const test = suite<{ engine: Engine; model: LongformerModel }>('arguments');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 1 });
  context.model = await LongformerModel.fromPretrained(model, { engine: context.engine });
});

test.after(({ engine }) => engine.dispose());

const refused = (call: (...args: never[]) => unknown, args: unknown[], words: RegExp): Promise<void> =>
  assertRefuses(() => call(...args as never[]), 'BAD_INPUT', words);

test('what must be an object', async ({ engine, model: loaded }) => {
  await refused(engine.attention.bind(engine), [], /the input must be an object, got undefined/);
  await refused(loaded.forward.bind(loaded), [{ inputIds: [0] }, null], /options must be an object, got null/);
  await refused(loaded.attentionOf.bind(loaded), [{ inputIds: [0] }], /options must be an object, got undefined/);
  await refused(LongformerModel.fromPretrained, [model, null], /options must be an object, got null/);
  await refused(SearchIndex.create, [model, 5], /options must be an object, got 5/);
  await refused(createEngine, [null], /options must be an object, got null/);
  await refused(convertToLongformer, ['a', 'b'], /options must be an object, got undefined/);
  await refused(patternSvg, [], /the pattern must be an object/);
  await refused(tokensInRanges, [], /the encoding must be an object/);
  await refused(tokensInRanges, [{ offsets: [], sequenceIds: [] }, 'x'], /ranges must be a list of \[start, end\], got "x"/);
});

test('signal, onProgress and addresses', async ({ engine, model: loaded }) => {
  await refused(loaded.forward.bind(loaded), [{ inputIds: [0] }, { signal: 5 }], /signal must be an AbortSignal, got 5/);
  await refused(loaded.forward.bind(loaded), [{ inputIds: [0] }, { onProgress: 5 }], /onProgress must be a function, got 5/);
  await refused(LongformerModel.fromPretrained, [model, { engine, onProgress: 'x' }], /onProgress must be a function/);
  await refused(createEngine, [{ wasm: 'x' }], /wasm must be a URL or a module, got "x"/);
  await refused(createEngine, [{ workerUrl: './x.js' }], /workerUrl must be a URL/);
});

test('numbers that look right and are none, and names from elsewhere', async ({ engine, model: loaded }) => {
  const vectors = { query: new Float32Array(4), key: new Float32Array(4), value: new Float32Array(4), seqLen: 2, numHeads: 1, headDim: 2 };
  const attention = engine.attention.bind(engine);
  await refused(attention, [{ ...vectors, oneSidedWindow: 2 ** 32 }], /oneSidedWindow must be an integer from 0 to 4294967295, got 4294967296/);
  await refused(attention, [{ ...vectors, oneSidedWindow: 1n }], /oneSidedWindow must be .*, got 1n/);
  await refused(attention, [{ ...vectors, oneSidedWindow: 1, causal: 'yes' }], /causal must be true or false, got "yes"/);
  await refused(attention, [{ ...vectors, oneSidedWindow: 1, keyMask: [1, 2] }], /keyMask\[1\] must be 0 or 1, got 2/);
  await attention({ ...vectors, oneSidedWindow: 1, keyMask: [true, false] as never });
  const forward = loaded.forward.bind(loaded);
  await refused(forward, [{ inputIds: BigInt64Array.of(0n) }], /inputIds\[0\] must be an id below .*, got 0n/);
  await refused(forward, [{ inputIds: [0], attentionMask: [1] }], /attentionMask is no part of a sequence.*keyMask/);
  await refused(forward, [{ inputIds: [0] }, { outputAttentions: { layer: [1] } }], /outputAttentions must be .*, got \{"layer":\[1\]\}/);
});

test('options that there are not, with the call and those that there are', async ({ engine, model: loaded }) => {
  const unknown = (name: string, call: string, first: string): RegExp => new RegExp(`^"${name}" is no option of ${call}; there are ${first}`);
  const load = 'engine, threads, dtype, modulesToNotConvert, attentionWindow, revision, cacheDir, localFilesOnly, signal, onProgress$';
  await refused(createEngine, [{ thread: 2 }], unknown('thread', 'createEngine', 'threads, simd, wasm, workerUrl, worker, maxMemoryBytes, signal$'));
  await refused(LongformerModel.fromPretrained, [model, { engine, dype: 'int8' }], unknown('dype', 'LongformerModel.fromPretrained', load));
  await refused(loadModel, [model, { engine, progress_callback() {} }], unknown('progress_callback', 'loadModel', load));
  await refused(pipeline, ['feature-extraction', model, { engine, device: 'wasm' }], unknown('device', 'pipeline', load));
  await refused(pipeline, ['feature-extraction', model, { engine, vectors: 'late' }], unknown('vectors', 'pipeline', load));
  await refused(pipeline, ['search', model, { engine, vector: 'late' }], unknown('vector', 'pipeline', `passages, vectors, ${load}`));
  await refused(SearchIndex.create, [model, { engine, source: model }], unknown('source', 'SearchIndex.create', `passages, vectors, ${load}`));
  await refused(SearchIndex.create, [model, { engine, passages: { max: 9 } }], unknown('max', 'the passages of SearchIndex.create', 'by, maxTokens, overlap$'));
  await refused(SearchIndex.load, ['an.index', { engine, dype: 'int8' }], unknown('dype', 'SearchIndex.load', `source, passages, vectors, ${load}`));
  await refused(Tokenizer.fromPretrained, [model, { dtype: 'int8' }], unknown('dtype', 'Tokenizer.fromPretrained', 'revision, cacheDir, localFilesOnly, signal, onProgress$'));
  await refused(convertToLongformer, ['a', 'b', { maxPosition: 9 }], unknown('maxPosition', 'convertToLongformer', 'maxPositions, attentionWindow, attentionDilation, revision'));
  await refused(loaded.forward.bind(loaded), [{ inputIds: [0] }, { outputHiddenState: true }], unknown('outputHiddenState', 'model.forward', 'positions, outputHiddenStates,'));
  await refused(loaded.attentionOf.bind(loaded), [{ inputIds: [0] }, { layer: 0, token: 0 }], unknown('token', 'model.attentionOf', 'layer, position, attentionWindow,'));
  await refused(loaded.plan.bind(loaded), [{ token: 9 }], unknown('token', 'model.plan', 'tokens, batch,'));
  await refused(engine.attention.bind(engine), [{ window: 4 }], unknown('window', 'engine.attention', 'query, key, value,'));
  await refused(engine.attention.bind(engine), [{}, { timeout: 4 }], unknown('timeout', 'engine.attention', 'signal, onProgress$'));
  await refused(patternSvg, [{ seqLen: 4, oneSidedWindow: 1, global: [0] }], unknown('global', 'patternSvg', 'seqLen, oneSidedWindow,'));
  await refused(tokensInRanges, [{ offsets: [], sequenceIds: [] }, [], { pair: 1 }], unknown('pair', 'tokensInRanges', 'text$'));
});

test('options that there are not, of objects that are loaded', async ({ engine }) => {
  const folder = new URL('./fixtures/tiny-bert/', import.meta.url);
  const tokenizer = await Tokenizer.fromPretrained(folder);
  await refused(tokenizer.encode.bind(tokenizer), ['a', { max_length: 9 }], /^"max_length" is no option of tokenizer\.encode; there are pair, cut, addSpecialTokens, maxLength, overflow$/);
  await refused(tokenizer.encodeWindows.bind(tokenizer), ['a', { maxLength: 9, stride: 1, overlap: 1 }], /^"overlap" is no option of tokenizer\.encodeWindows; there are pair, cut, maxLength, stride$/);
  await refused(tokenizer.decode.bind(tokenizer), [[], { skip_special_tokens: true }], /^"skip_special_tokens" is no option of tokenizer\.decode; there are skipSpecialTokens$/);
  const index = await SearchIndex.create(await tinyPipeline('word-piece', 'classifier'), { engine });
  await refused(index.add.bind(index), [[], { concurrency: 2 }], /^"concurrency" is no option of index\.add; there are signal, onProgress$/);
  await refused(index.search.bind(index), ['a', { top_k: 1 }], /^"top_k" is no option of index\.search; there are topK, signal, onProgress$/);
  await refused(index.save.bind(index), ['an.index', { overwrite: true }], /^"overwrite" is no option of index\.save; there are signal, onProgress$/);
});

test('fields that there are not; a whole encoding is a sequence', async ({ engine, model: loaded }) => {
  const misspelt = /^"globaltokens" is no field of a sequence; there are inputIds, globalTokens, keyMask, tokenTypeIds, /;
  await refused(loaded.forward.bind(loaded), [{ inputIds: [0], globaltokens: [0] }], misspelt);
  await refused(loaded.forward.bind(loaded), [[{ inputIds: [0] }, { inputIds: [0], globaltokens: [0] }]], misspelt);
  await refused(loaded.attentionOf.bind(loaded), [{ inputIds: [0], globaltokens: [0] }, { layer: 0, position: 0 }], misspelt);
  const files = await tinyPipeline('word-piece', 'classifier');
  const classifier = await LongformerModel.fromPretrained(files, { engine });
  const tokenizer = await Tokenizer.fromPretrained(files);
  await classifier.forward({ ...tokenizer.encode('ann lives in rome', { maxLength: 4, overflow: 'truncate' }), globalTokens: [0] }); // with readUntil
  const index = await SearchIndex.create(files, { engine });
  await refused(index.add.bind(index), [[{ id: 'a', text: 'a', verson: '1' }]], /^"verson" is no field of documents\[0\]; there are id, text, version$/);
  const found = await pipeline('search', files, { engine });
  await refused(found, [{ query: 'a', documents: [{ id: 'a', text: 'a', titel: 'A' }] }], /^"titel" is no field of input\.documents\[0\]; there are id, text$/);
});

test.run();
