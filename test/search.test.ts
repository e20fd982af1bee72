// The index's mechanics, and its scores against their definition, on a tiny model.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  convertToLongformer, createEngine, LongformerModel, SearchIndex, Tokenizer,
  type Engine, type Progress, type SearchIndexOptions,
} from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';

const POSITIONS = 100;

/** Cosines of vectors whose elements float32 has to 1e-6 or so. */
const TOLERANCE = 1e-5;

const test = suite<{ root: string; checkpoint: string; engine: Engine }>('search index');

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'search-'));
  context.checkpoint = join(context.root, 'model');
  // The window is narrower than passages.
  const source = new URL('./fixtures/tiny-bert/', import.meta.url);
  await convertToLongformer(source, context.checkpoint, { maxPositions: POSITIONS, attentionWindow: 8 });
  context.engine = await createEngine({ threads: 2 });
});

test.after(async ({ root, engine }) => {
  await engine.dispose();
  await rm(root, { recursive: true });
});

/** Every letter is a token. */
const letters = (count: number, seed: number): string =>
  Array.from({ length: count }, (_, i) => 'abcdefghijklmnopqrstuvwxy'[(i * i + seed * (i + 3)) % 25]).join(' ');

const short = [letters(12, 1), letters(15, 2), letters(9, 3)].join('\n\n');
const long = Array.from({ length: 30 }, (_, i) => letters(14, i)).join('\n\n'); // 420 tokens
const passages = { maxTokens: 16 };

async function withIndex(
  { checkpoint, engine }: { checkpoint: string; engine: Engine }, options: SearchIndexOptions, work: (index: SearchIndex) => Promise<void>,
): Promise<void> {
  const index = await SearchIndex.create(checkpoint, { engine, passages, ...options });
  try {
    await work(index);
  } finally {
    await index.dispose();
  }
}

// ---------------------------------------------------------------------------- results

test('finds passages of every document, best first, as slices of their texts', async (context) => {
  await withIndex(context, {}, async (index) => {
    const read = await index.add([{ id: 'short', text: short }, { id: 'other', text: letters(10, 7) }]);
    assert.equal(read, [
      { id: 'short', tokens: 38, windows: 1, passages: 3, unchanged: false }, { id: 'other', tokens: 12, windows: 1, passages: 1, unchanged: false },
    ]);
    const found = await index.search(letters(9, 3));
    assert.is(found.length, 4);
    for (const { id, start, end, text } of found) {
      assert.is(text, (id === 'short' ? short : letters(10, 7)).slice(start, end));
      assert.is(text, text.trim());
    }
    const scores = found.map(({ score }) => score);
    assert.equal(scores, [...scores].sort((a, b) => b - a));
    assert.ok(scores.every((score) => Math.abs(score) <= 1 + TOLERANCE));
    assert.equal((await index.search(letters(9, 3), { topK: 2 })), found.slice(0, 2));
  });
});

test('a passage read by itself scores 1 against its own text', async (context) => {
  await withIndex(context, { vectors: 'alone' }, async (index) => {
    await index.add([{ id: 'short', text: short }]);
    for (const question of short.split('\n\n')) {
      const [best] = await index.search(question, { topK: 1 });
      assert.is(best!.text, question);
      assert.ok(Math.abs(best!.score - 1) < TOLERANCE, String(best!.score));
    }
  });
});

/** The rows of the last hidden state. */
async function read(model: LongformerModel, inputIds: Uint32Array, options: { globalTokens?: number[]; attentionWindow?: number }): Promise<number[][]> {
  const { globalTokens = [], ...rest } = options;
  const { lastHiddenState: { dims: [rows, cols], data } } = await model.forward({ inputIds, globalTokens }, rest);
  return Array.from({ length: rows! }, (_, row) => [...data.subarray(row * cols!, (row + 1) * cols!)]);
}

function unitMean(rows: number[][]): number[] {
  return unit(rows[0]!.map((_, col) => rows.reduce((sum, row) => sum + row[col]!, 0) / rows.length));
}

const unit = (vector: number[]): number[] => vector.map((x) => x / Math.hypot(...vector));
const dot = (x: number[], y: number[]): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);

for (const [name, text] of [['that fits the positions', short], ['that is read in windows', long]] as const) {
  test(`the scores of a document ${name} follow their definition`, async (context) => {
    const tokenizer = await Tokenizer.fromPretrained(context.checkpoint);
    await using model = await LongformerModel.fromPretrained(context.checkpoint, { engine: context.engine });
    const question = letters(11, 5);

    const alone = async (part: string): Promise<number[]> =>
      unitMean(await read(model, tokenizer.encode(part).inputIds, { attentionWindow: 400 }));
    const windows = tokenizer.encodeWindows(text, { maxLength: POSITIONS, stride: passages.maxTokens });
    const windowRows = await Promise.all(windows.map(({ inputIds }) => read(model, inputIds, { globalTokens: [0] })));
    /** Of the windows that hold all of the part, the one where it is farthest from a cut. */
    const late = (start: number, end: number): number[] => {
      const candidates = windows.map(({ offsets, specialTokensMask }, window) => {
        const own = offsets.flatMap(([from, to], i) => (specialTokensMask[i] === 0 && from >= start && to <= end ? [i] : []));
        const [first, last] = [own[0] ?? 0, own.at(-1) ?? 0];
        const whole = own.length > 0 && offsets[first]![0] === start && offsets[last]![1] === end;
        const before = window === 0 ? Infinity : first - 1;
        const after = window === windows.length - 1 ? Infinity : offsets.length - 2 - last;
        return { rows: own.map((i) => windowRows[window]![i]!), margin: whole ? Math.min(before, after) : -1 };
      });
      return unitMean(candidates.reduce((best, candidate) => (candidate.margin > best.margin ? candidate : best)).rows);
    };

    const query = await alone(question);
    for (const vectors of ['late', 'alone', 'both'] as const) {
      await withIndex(context, { vectors }, async (index) => {
        const [report] = await index.add([{ id: 'text', text }]);
        assert.is(report!.windows, vectors === 'alone' ? 0 : windows.length);
        const found = await index.search(question, { topK: 100 });
        assert.is(found.length, report!.passages);
        for (const { start, end, text: part, score } of found) {
          const parts = [...(vectors === 'alone' ? [] : [late(start, end)]), ...(vectors === 'late' ? [] : [await alone(part)])];
          const vector = unit(parts.reduce((sum, each) => sum.map((x, i) => x + each[i]!)));
          assert.ok(Math.abs(score - dot(vector, query)) < TOLERANCE, `${vectors}: ${score}, expected ${dot(vector, query)}`);
        }
      });
    }
  });
}

for (const [mode, pool] of [
  ['cls_token', (rows: number[][]) => unit(rows[0]!)],
  ['max_tokens', (rows: number[][]) => unit(rows[0]!.map((_, col) => Math.max(...rows.map((row) => row[col]!))))],
] as const) {
  test(`vectors are pooled by ${mode} where the checkpoint says so`, async ({ root, checkpoint, engine }) => {
    const other = join(root, mode);
    await cp(checkpoint, other, { recursive: true });
    await writeFile(join(other, '1_Pooling', 'config.json'), JSON.stringify({ [`pooling_mode_${mode}`]: true }));
    const tokenizer = await Tokenizer.fromPretrained(other);
    await using model = await LongformerModel.fromPretrained(other, { engine });
    const vector = async (text: string): Promise<number[]> => pool(await read(model, tokenizer.encode(text).inputIds, { attentionWindow: 400 }));
    await withIndex({ checkpoint: other, engine }, { vectors: 'alone' }, async (index) => {
      await index.add([{ id: 'short', text: short }]);
      const query = await vector('a b c');
      for (const { text, score } of await index.search('a b c')) {
        const expected = dot(await vector(text), query);
        assert.ok(Math.abs(score - expected) < TOLERANCE, `${score}, expected ${expected}`);
      }
    });
  });
}

test('documents and passages read together score as those read one after another', async (context) => {
  const documents = Array.from({ length: 12 }, (_, i) => ({ id: String(i), text: i % 4 === 0 ? long : letters(5 + i, i) }));
  await withIndex(context, {}, async (together) => {
    await withIndex(context, {}, async (single) => {
      await together.add(documents);
      for (const document of documents) await single.add([document]);
      const scores = async (index: SearchIndex): Promise<Map<string, number>> =>
        new Map((await index.search(short, { topK: 1000 })).map(({ id, start, score }) => [`${id}:${start}`, score]));
      const [expected, actual] = [await scores(single), await scores(together)];
      assert.is(actual.size, expected.size);
      for (const [passage, score] of expected) assert.ok(Math.abs(actual.get(passage)! - score) < TOLERANCE, passage);
    });
  });
});

test('passages are divided as asked', async (context) => {
  for (const [options, count] of [
    [{ by: 'tokens', maxTokens: 20, overlap: 4 }, Math.ceil((36 - 4) / 16)],
    [{ by: 'sentence', maxTokens: 20 }, 3],
    [{ by: 'paragraph', maxTokens: 40 }, 2], // the last is short, and goes with what is before it
    [{}, 1], // half of the positions: the first is short too
  ] as const) {
    await withIndex(context, { passages: options }, async (index) => {
      assert.is((await index.add([{ id: 'short', text: short }]))[0]!.passages, count, JSON.stringify(options));
    });
  }
});

// ---------------------------------------------------------------------------- documents come and go

test('a document that is there is replaced, one that is removed is not found', async (context) => {
  await withIndex(context, {}, async (index) => {
    await index.add([{ id: 'a', text: short }, { id: 'b', text: letters(10, 4) }]);
    await index.add([{ id: 'a', text: letters(11, 6) }]);
    assert.equal((await index.search('a b')).map(({ id, text }) => [id, text]).sort(), [['a', letters(11, 6)], ['b', letters(10, 4)]]);
    assert.is(await index.remove('a'), true);
    assert.is(await index.remove('a'), false);
    assert.equal((await index.search('a b')).map(({ id }) => id), ['b']);
    await index.remove('b');
    assert.equal(await index.search('a b'), []);
  });
});

test('what is there with the same text is not read again', async (context) => {
  await withIndex(context, {}, async (index) => {
    const [first, other, long_] = [{ id: 'a', text: short, version: '1' }, { id: 'b', text: letters(10, 4) }, { id: 'long', text: long }];
    const read = await index.add([first, other, long_]);
    const before = await index.search('a b', { topK: 100 });
    const seen: Progress[] = [];
    const again = await index.add([long_, { ...first, version: '2' }, { id: 'b', text: letters(10, 5) }], { onProgress: (progress) => seen.push(progress) });
    assert.equal(again, [
      { ...read[2], unchanged: true }, { ...read[0], version: '2', unchanged: true }, { ...read[1], unchanged: false },
    ]);
    assert.equal([...new Set(seen.map(({ name }) => name))], ['b']);
    assert.is(seen.at(-1)!.total, 2 * 12, 'tokens of the one that is new');
    const others = (found: typeof before): typeof before => found.filter(({ id }) => id !== 'b');
    assert.equal(others(await index.search('a b', { topK: 100 })), others(before));
  });
});

test('tells what is there, in order, and gives it back', async (context) => {
  await withIndex(context, {}, async (index) => {
    const documents = [{ id: 'b', text: short, version: 'x' }, { id: 'a', text: long }, { id: 'c', text: 'z' }];
    await index.add(documents);
    await index.remove('c');
    assert.equal(await index.documents(), [
      { id: 'b', version: 'x', tokens: 38, windows: 1, passages: 3 }, { id: 'a', tokens: 422, windows: 5, passages: 30 },
    ]);
    assert.equal(await index.get('b'), documents[0]);
    assert.equal(await index.get('a'), documents[1]);
    assert.is(await index.get('c'), null);
  });
});

test('nothing to add is no error, and a text without tokens has no passages', async (context) => {
  await withIndex(context, {}, async (index) => {
    assert.equal(await index.add([]), []);
    assert.equal(await index.add([{ id: 'blank', text: ' \n ' }, { id: 'empty', text: '' }]),
      ['blank', 'empty'].map((id) => ({ id, tokens: 2, windows: 0, passages: 0, unchanged: false })));
    assert.equal(await index.search('a'), []);
  });
});

test('calls made at once are served in their order', async (context) => {
  await withIndex(context, {}, async (index) => {
    const [, before, , after] = await Promise.all([
      index.add([{ id: 'a', text: short }]), index.search('a b'), index.remove('a'), index.search('a b'),
    ]);
    assert.is(before.length, 3);
    assert.is(after.length, 0);
  });
});

// ---------------------------------------------------------------------------- long calls

test('progress counts the tokens that are read, and ends at their total', async (context) => {
  await withIndex(context, {}, async (index) => {
    const seen: Progress[] = [];
    const documents = [...Array.from({ length: 10 }, (_, i) => ({ id: `long ${i}`, text: long })), { id: 'short', text: short }];
    await index.add(documents, { onProgress: (progress) => seen.push(progress) });
    for (const stage of ['tokenize', 'forward'] as const) {
      const own = seen.filter((progress) => progress.stage === stage);
      assert.ok(own.length > 1, stage);
      assert.ok(own.every(({ done, total }, i) => done >= (own[i - 1]?.done ?? 0) && total === own[0]!.total), stage);
      assert.is(own.at(-1)!.done, own.at(-1)!.total, stage);
      assert.ok(own.every(({ name }) => documents.some(({ id }) => id === name)), stage);
    }
    const late = 10 * (420 + 5 * 2 + 4 * 16) + 38; // five windows each that overlap, and the short document
    assert.is(seen.at(-1)!.total, late + 10 * (420 + 30 * 2) + 36 + 3 * 2);
    assert.is(seen.at(-1)!.unit, 'tokens');
  });
});

test('an abort ends an addition, leaves the index as it was and usable', async (context) => {
  await withIndex(context, {}, async (index) => {
    await index.add([{ id: 'a', text: letters(10, 1) }]);
    for (const stage of ['tokenize', 'forward'] as const) {
      const controller = new AbortController();
      const reason = new Error('enough');
      const onProgress = (progress: Progress): void => {
        if (progress.stage === stage && progress.done > 0) controller.abort(reason);
      };
      const documents = Array.from({ length: 40 }, (_, i) => ({ id: i === 0 ? 'a' : `long ${i}`, text: long }));
      let thrown: unknown;
      await index.add(documents, { signal: controller.signal, onProgress }).catch((error: unknown) => (thrown = error));
      assert.is(thrown, reason, stage);
      assert.equal((await index.search('a b')).map(({ text }) => text), [letters(10, 1)], stage);
    }
    const signal = AbortSignal.abort('before');
    for (const call of [() => index.add([], { signal }), () => index.search('a', { signal })]) {
      let thrown: unknown;
      await call().catch((error: unknown) => (thrown = error));
      assert.is(thrown, 'before');
    }
  });
});

test('an index of its own engine ends it, one of a shared engine does not', async ({ checkpoint, engine }) => {
  const own = await SearchIndex.create(checkpoint, { threads: 1 });
  assert.is(own.engine.info.threads, 1);
  await own.dispose();
  await assertRefuses(() => own.add([]), 'ENGINE_DEAD');

  const shared = await SearchIndex.create(checkpoint, { engine });
  await shared[Symbol.asyncDispose]();
  await assertRefuses(() => shared.search('a'), 'BAD_INPUT', /index was disposed/);
  await withIndex({ checkpoint, engine }, {}, async (index) => {
    await index.add([{ id: 'a', text: short }]);
  });
});

test('an index whose engine is gone is disposed as if it were there', async ({ checkpoint }) => {
  const engine = await createEngine({ threads: 1 });
  const index = await SearchIndex.create(checkpoint, { engine });
  await engine.dispose();
  await index.dispose();
});

test('indexes on one engine know nothing of each other', async (context) => {
  await withIndex(context, {}, async (one) => {
    await withIndex(context, {}, async (other) => {
      await one.add([{ id: 'a', text: short }]);
      assert.equal(await other.search('a'), []);
    });
    assert.is((await one.search('a')).length, 3);
  });
});

// ---------------------------------------------------------------------------- what is refused

test('refuses documents and questions that are none', async (context) => {
  await withIndex(context, {}, async (index) => {
    const add = (documents: unknown) => () => index.add(documents as []);
    await assertRefuses(add('text'), 'BAD_INPUT', /documents/, /list/);
    await assertRefuses(add([null]), 'BAD_INPUT', /documents\[0\] must be an object, got null/);
    await assertRefuses(add([{ id: 1, text: '' }]), 'BAD_INPUT', /documents\[0\]\.id/, /1/);
    await assertRefuses(add([{ id: 'a', text: 'a' }, { id: 'b' }]), 'BAD_INPUT', /documents\[1\]\.text/);
    await assertRefuses(add([{ id: 'a', text: 'a' }, { id: 'a', text: 'b' }]), 'BAD_INPUT', /documents\[1\]\.id/, /"a"/);
    await assertRefuses(add([{ id: 'a', text: 'a', version: 1 }]), 'BAD_INPUT', /documents\[0\]\.version/, /1/);
    await assertRefuses(() => index.remove(1 as never), 'BAD_INPUT', /id/);
    await assertRefuses(() => index.get(1 as never), 'BAD_INPUT', /id/);
    await assertRefuses(() => index.search(1 as never), 'BAD_INPUT', /query/);
    await assertRefuses(() => index.search(' \n'), 'BAD_INPUT', /query/, /blank/);
    await assertRefuses(() => index.search(letters(99, 1)), 'BAD_INPUT', /query/, /100/, /101/);
    for (const topK of [0, -1, 1.5, NaN, '3']) await assertRefuses(() => index.search('a', { topK: topK as number }), 'BAD_INPUT', /topK/);
    assert.equal(await index.search('a'), []);
  });
});

test('refuses options of calls that are none', async (context) => {
  await using index = await SearchIndex.create(context.checkpoint, { engine: context.engine });
  for (const options of [{ onProgress: 5 }, { signal: 'x' }, null]) {
    await assertRefuses(() => index.add([{ id: 'a', text: 'a' }], options as never), 'BAD_INPUT', /onProgress|signal|options/);
    await assertRefuses(() => index.search('a', options as never), 'BAD_INPUT', /onProgress|signal|options/);
  }
});

test('refuses options that break a rule', async ({ checkpoint, engine }) => {
  const create = (options: object) => () => SearchIndex.create(checkpoint, { engine, ...options });
  await assertRefuses(create({ vectors: 'early' }), 'BAD_INPUT', /vectors/, /must be one of late, alone, both, got "early"/, /"early"/);
  await assertRefuses(create({ passages: { by: 'page' } }), 'BAD_INPUT', /passages\.by/, /"page"/);
  for (const maxTokens of [15, 51, 20.5, '20']) await assertRefuses(create({ passages: { maxTokens } }), 'BAD_INPUT', /passages\.maxTokens/, /16 to 50/);
  for (const overlap of [-1, 10, 0.5]) {
    await assertRefuses(create({ passages: { by: 'tokens', maxTokens: 20, overlap } }), 'BAD_INPUT', /passages\.overlap/);
  }
  await assertRefuses(create({ passages: { overlap: 4 } }), 'BAD_INPUT', /passages\.overlap/, /tokens/);
  await assertRefuses(create({ attentionWindow: 7 }), 'BAD_INPUT', /attentionWindow/);
  await assertRefuses(create({ dtype: 'int4' }), 'BAD_INPUT', /dtype/);
  await assertRefuses(create({ attentionWindow: () => 8 }), 'BAD_INPUT', /attentionWindow/);
  await assertRefuses(create({ engine: undefined, threads: 0 }), 'BAD_INPUT', /threads/);
  await assertRefuses(() => SearchIndex.create(undefined as never, { threads: 0 }), 'BAD_INPUT', /source/);
});

test('refuses a checkpoint without a tokenizer, one that is no Longformer, one whose parts do not fit', async ({ checkpoint, engine }) => {
  const source = (replaced: Record<string, string | null>) => ({
    async open(name: string): Promise<Blob | null> {
      if (name in replaced) return replaced[name] === null ? null : new Blob([replaced[name]!]);
      return readFile(join(checkpoint, name)).then((bytes) => new Blob([new Uint8Array(bytes)]), () => null);
    },
  });
  await assertRefuses(() => SearchIndex.create(source({ 'vocab.txt': null }), { engine }), 'NOT_FOUND', /vocab\.txt/);
  const vocabulary = `${await readFile(join(checkpoint, 'vocab.txt'), 'utf8')}\nmore\n`;
  await assertRefuses(() => SearchIndex.create(source({ 'vocab.txt': vocabulary }), { engine }), 'BAD_FILE', /tokenizer/, /30/);
  const vocab = Object.fromEntries((await readFile(join(checkpoint, 'vocab.txt'), 'utf8')).trim().split('\n').map((token, id) => [token, id]));
  const single = [...Array.from({ length: 60 }, () => ({ SpecialToken: { id: '[CLS]', type_id: 0 } })), { Sequence: { id: 'A', type_id: 0 } }];
  const pair = [...single, { Sequence: { id: 'B', type_id: 1 } }];
  const crowded = {
    added_tokens: [], normalizer: null, pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: null, truncation: null, padding: null,
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab },
    post_processor: {
      type: 'TemplateProcessing', single, pair, special_tokens: { '[CLS]': { id: '[CLS]', ids: [vocab['[CLS]']], tokens: ['[CLS]'] } },
    },
  };
  await assertRefuses(() => SearchIndex.create(source({ 'tokenizer.json': JSON.stringify(crowded) }), { engine, passages: { maxTokens: 40 } }),
    'BAD_FILE', /the tokenizer must leave room for more than a passage of 40 tokens in 100 positions, its special tokens take 60/);
  await assertRefuses(() => SearchIndex.create(new URL('./fixtures/tiny-bert/', import.meta.url), { engine }), 'BAD_FILE', /model_type/);
  await assertRefuses(() => SearchIndex.create('./nowhere', { engine }), 'NOT_FOUND', /nowhere/);
  const index = await SearchIndex.create(source({}), { engine });
  await index.add([{ id: 'a', text: short }]);
  await index.dispose();
});

test.run();
