// What a caller can get wrong in any call: refused by name, before anything is begun.

import { suite } from 'uvu';
import {
  convertToLongformer, createEngine, LongformerModel, patternSvg, SearchIndex, tokensInRanges, type Engine,
} from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';

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

test.run();
