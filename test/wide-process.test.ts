// 256 bits in code that is all compiled well, from the first call on: so that every kernel has its
// vectors fused. In processes of their own, as the flags are of a process.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './program.ts';
import { writeRandom } from './random-checkpoint.ts';

const { bun, deno, node } = process.versions as Record<string, string | undefined>;
const fuses = !bun && !deno && parseInt(node!) >= 24 && process.arch === 'x64';

/** Heads of three panels, a feed-forward block of parts of panels. */
const sizes = {
  vocab_size: 200, hidden_size: 96, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 204, attention_window: 32, max_position_embeddings: 702,
};

const test = suite<{ folder: string }>('wide, all code compiled well');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'wide-'));
  await writeRandom(context.folder, sizes);
});

test.after(({ folder }) => rm(folder, { recursive: true }));

/** What kernels make of texts of some lengths, with every dtype; and what they ran on. */
async function resultsOf(folder: string, simd: string, flags: string[]): Promise<{ simd: string; results: Record<string, string> }> {
  const { stdout } = await runProgram(`
    import { createHash } from 'node:crypto';
    import { createEngine, LongformerModel } from 'longformer-wasm';
    const results = {};
    const keep = (name, data) => { results[name] = createHash('sha256').update(data).digest('hex'); };
    const engine = await createEngine({ threads: 2, simd: '${simd}' });
    for (const dtype of ['f32', 'f16', 'int8']) {
      const model = await LongformerModel.fromPretrained(${JSON.stringify(folder)}, { engine, dtype });
      for (const tokens of [1, 17, 150, 700]) {
        const inputIds = Array.from({ length: tokens }, (_, i) => 3 + (i * i * 7 + i) % 190);
        for (const globalTokens of [[], [0], Array.from({ length: 25 }, (_, i) => i)]) {
          const { lastHiddenState: { data } } = await model.forward({ inputIds, globalTokens: globalTokens.filter((i) => i < tokens) });
          if (!data.every(Number.isFinite)) throw new Error('not finite');
          keep([dtype, tokens, globalTokens.length].join(), data);
        }
      }
      await model.dispose();
    }
    const vectors = (seed) => Float32Array.from({ length: 300 * 48 }, (_, i) => 4 * Math.sin(i * seed));
    for (const dilation of [1, 3]) {
      const input = { query: vectors(1.1), key: vectors(1.7), value: vectors(2.3), seqLen: 300, numHeads: 2, headDim: 24, oneSidedWindow: 20, dilation, globalTokens: [0, 7] };
      keep('attention, dilation ' + dilation, (await engine.attention(input)).data);
    }
    console.log(JSON.stringify({ simd: engine.info.simd, results }));
    await engine.dispose();
  `, { seconds: 60, flags });
  return JSON.parse(stdout) as { simd: string; results: Record<string, string> };
}

(fuses ? test : test.skip)('changes no bit', async ({ folder }) => {
  const plain = await resultsOf(folder, 'auto', []);
  const fused = await resultsOf(folder, 'wide', ['--no-liftoff']);
  assert.is(plain.simd, 'relaxed');
  assert.is(Object.keys(plain.results).length, 3 * 4 * 3 + 2);
  assert.equal(fused.results, plain.results);
  // Code that is compiled well at once is told apart at once.
  assert.is(fused.simd, 'wide');
});

test.run();
