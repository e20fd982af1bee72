// The attention operation by itself, through the engine, against its definition in float64.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, type AttentionInput, type Engine } from 'longformer-wasm';
import { assertClose } from './close.ts';
import { definition, vectors, type Pattern } from './definition.ts';
import { assertRefuses } from './rejects.ts';

/** For values in -1..1: some 100 terms in f32, each rounded at 6e-8, and the exponential's 2e-7. */
const TOLERANCE = 2e-6;

const SHAPES = [[1, 1, 8], [2, 2, 3], [37, 3, 12], [130, 2, 64], [257, 1, 32]] as const;
const WINDOWS = [0, 1, 5, 40, 1000];

function patterns(seqLen: number, numHeads: number): Pattern[] {
  const inside = (tokens: number[]): number[] => [...new Set(tokens.filter((token) => token < seqLen))].sort((a, b) => a - b);
  const plain = { dilation: Array<number>(numHeads).fill(1), causal: false, globalTokens: [], masked: [] };
  return WINDOWS.flatMap((oneSidedWindow) => [
    { ...plain, oneSidedWindow },
    { ...plain, oneSidedWindow, globalTokens: inside([0, seqLen - 1]) },
    { ...plain, oneSidedWindow, globalTokens: inside([1, 2, 3, 20, 21]), dilation: Array.from({ length: numHeads }, (_, head) => head + 2) },
    { ...plain, oneSidedWindow, causal: true, globalTokens: inside([0, 7, 30]), dilation: plain.dilation.map((_, head) => 1 + 3 * head) },
    { ...plain, oneSidedWindow, globalTokens: inside([0, 5, 9]), masked: inside([5, 6, 36]), dilation: plain.dilation.map(() => 500) },
  ]);
}

for (const threads of [1, 2]) {
  const test = suite<{ engine: Engine }>(`attention, ${threads} threads`);
  test.before(async (context) => {
    context.engine = await createEngine({ threads });
  });
  test.after(({ engine }) => engine.dispose());

  for (const [seqLen, numHeads, headDim] of SHAPES) {
    test(`equals its definition at ${seqLen} tokens, ${numHeads} heads of ${headDim}`, async ({ engine }) => {
      for (const [i, pattern] of patterns(seqLen, numHeads).entries()) {
        const { oneSidedWindow, dilation, causal, globalTokens, masked } = pattern;
        const input = { ...vectors(seqLen, numHeads, headDim, i, i % 2 === 1), oneSidedWindow };
        const keyMask = Uint8Array.from({ length: seqLen }, (_, position) => Number(!masked.includes(position)));
        const { dims, data } = await engine.attention({ ...input, dilation, causal, globalTokens, keyMask });
        assert.equal(dims, [seqLen, numHeads, headDim]);
        assertClose(data, definition(input, pattern), TOLERANCE, JSON.stringify(pattern));
      }
    });
  }

  test('spreads NaN to whoever sees it, and no further than their group of 8', async ({ engine }) => {
    const input = { ...vectors(150, 1, 8, 1, false), oneSidedWindow: 2 };
    input.value[70 * 8] = NaN;
    const { data } = await engine.attention(input);
    for (let i = 0; i < 150; i++) {
      const distance = Math.abs(i - 70);
      if (distance <= 2) assert.ok(Number.isNaN(data[i * 8]!), `token ${i} sees it`);
      if (distance > 2 + 7) assert.ok(Number.isFinite(data[i * 8]!), `token ${i} is far away`);
    }
  });

  test('a NaN in a query or a key is never taken for nothing', async ({ engine }) => {
    for (const globalTokens of [[], [4]]) {
      const input = { ...vectors(50, 1, 8, 1, false), oneSidedWindow: 2, globalTokens };
      input.query.fill(NaN, 4 * 8, 5 * 8);
      const { data } = await engine.attention(input);
      for (let i = 0; i < 50; i++) assert.is(Number.isNaN(data[i * 8]!), i === 4, `token ${i}, global [${globalTokens}]`);
      input.key.fill(NaN);
      assert.ok((await engine.attention(input)).data.every(Number.isNaN), 'nothing but NaN to see');
    }
    for (const length of [1, 300]) { // of queries: scores that cannot be large, and others
      const input = { ...vectors(50, 1, 8, 1, false), oneSidedWindow: 2 };
      for (const at of input.query.keys()) input.query[at]! *= length;
      input.key.fill(NaN, 20 * 8, 21 * 8);
      const { data } = await engine.attention(input);
      for (let i = 0; i < 50; i++) assert.is(Number.isNaN(data[i * 8]!), Math.abs(i - 20) <= 2, `token ${i}, queries ${length} times as long`);
    }
  });

  test.run();
}

const test = suite('arguments of attention');

test('are refused by name', async () => {
  await using engine = await createEngine({ threads: 1 });
  const good = { ...vectors(10, 2, 8, 1, false), oneSidedWindow: 2 };
  const refuses = (change: Partial<AttentionInput>, ...words: RegExp[]): Promise<void> =>
    assertRefuses(() => engine.attention({ ...good, ...change }), 'BAD_INPUT', ...words);
  await refuses({ query: new Float32Array(5) }, /query must have .* 160 elements, has 5/);
  await refuses({ keyGlobal: new Float32Array(5) }, /keyGlobal must have .* has 5/);
  await refuses({ value: [1, 2] as unknown as Float32Array }, /value must be a Float32Array/);
  await refuses({ seqLen: 0 }, /seqLen must .* got 0/);
  await refuses({ headDim: 2.5 }, /headDim must .* got 2.5/);
  await refuses({ oneSidedWindow: -1 }, /oneSidedWindow must .* got -1/);
  await refuses({ oneSidedWindow: NaN }, /oneSidedWindow must .* got NaN/);
  await refuses({ dilation: 0 }, /dilation must .* got 0/);
  await refuses({ dilation: [1] }, /dilation must be a number or one per head, 2, has 1/);
  await refuses({ dilation: [1, -3] }, /dilation\[1\] must .* got -3/);
  await refuses({ globalTokens: [10] }, /globalTokens\[0\] must be a position below 10, got 10/);
  await refuses({ globalTokens: [3, 3] }, /globalTokens\[1\] must be above the one before it, 3, got 3/);
  await refuses({ globalTokens: [5, 2] }, /globalTokens\[1\] must be above/);
  await refuses({ globalTokens: 0 as unknown as number[] }, /globalTokens must be an array or a typed array, got 0/);
  await refuses({ globalTokens: new Set([0]) as unknown as number[] }, /globalTokens must be an array/);
  await refuses({ keyMask: 1 as unknown as number[] }, /keyMask must be an array/);
  await refuses({ keyMask: [1] }, /keyMask must have an element per token, 10, has 1/);
  assert.is((await engine.attention(good)).data.length, 160);
});

test.run();
