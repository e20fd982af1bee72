// 256 bits, where V8 fuses vectors to them: the same bits as without, and elsewhere a word about why not.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, LongformerModel } from 'longformer-wasm';

const tiny = new URL('./fixtures/tiny-longformer/', import.meta.url);

const { versions = {}, arch } = (globalThis as { process?: { versions?: Record<string, string>; arch?: string } }).process ?? {};
const isNode = versions['node'] !== undefined && versions['bun'] === undefined && versions['deno'] === undefined;
const fuses = isNode && parseInt(versions['node']!) >= 24 && arch === 'x64';

const test = suite('wide');

async function hiddenStates(simd: 'auto' | 'wide', dtype: 'f32' | 'f16' | 'int8', threads: number): Promise<Float32Array[]> {
  await using engine = await createEngine({ simd, threads });
  const model = await LongformerModel.fromPretrained(tiny, { engine, dtype });
  const states: Float32Array[] = [];
  for (const tokens of [5, 120]) {
    const { lastHiddenState } = await model.forward({ inputIds: Array.from({ length: tokens }, (_, i) => 3 + (i * i) % 100), globalTokens: [0] });
    states.push(lastHiddenState.data);
  }
  return states;
}

const cases = (['f32', 'f16', 'int8'] as const).flatMap((dtype) => [1, 2].map((threads) => ({ dtype, threads })));

/** By code that is compiled before anybody asks V8 to fuse vectors. */
const expected: Float32Array[][] = [];

test.before(async () => {
  for (const { dtype, threads } of cases) expected.push(await hiddenStates('auto', dtype, threads));
});

test('is there, or the reason why not', async () => {
  // A busy machine may take the trial for a draw: three are enough to see it won once.
  const reasons: string[] = [];
  for (let i = 0; i < 3; i++) {
    await using engine = await createEngine({ simd: 'wide', threads: 2 });
    const { simd, build, reason } = engine.info;
    assert.match(build, simd === 'simd128' ? /simd128$/ : /relaxed$/);
    const whyNot = /; not wide: (it takes relaxed SIMD|it takes Node 24 or newer on x64|two panels at a time are no faster than one)$/;
    assert.match(reason, simd === 'wide' ? /; wide: pairs of vectors are fused to 256 bits$/ : whyNot);
    if (simd === 'wide') return assert.ok(fuses);
    reasons.push(reason);
  }
  assert.not.ok(fuses, `three engines are not: ${reasons.join(' / ')}`);
});

test('changes no bit', async () => {
  for (const [i, { dtype, threads }] of cases.entries()) {
    assert.equal(await hiddenStates('wide', dtype, threads), expected[i], `${dtype}, ${threads} threads`);
  }
});

test.run();
