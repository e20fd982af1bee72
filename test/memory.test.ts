// What loading and running hold in memory, measured from outside: resident size in a process of its own.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, LongformerModel } from 'longformer-wasm';
import { runProgram } from './program.ts';
import { keptBytes, writeZeros } from './zeros.ts';

const MB = 2 ** 20;

const sizes = {
  vocab_size: 280_000, hidden_size: 512, num_hidden_layers: 2, num_attention_heads: 8, intermediate_size: 2048, attention_window: 128,
  max_position_embeddings: 20_002,
};

/**
 * What may grow besides the weights: the buffer of 4 MB, what the engine takes beyond them (memory
 * grows in steps), and the heaps of three threads, which their collectors clear when they like. Less
 * than half of the smallest second copy that is to be seen, so that neither is near the limit.
 */
const BESIDES = 64 * MB;

const test = suite<{ folder: string }>('memory');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'memory-'));
  await writeZeros(context.folder, sizes);
});

test.after(({ folder }) => rm(folder, { recursive: true }));

for (const dtype of ['f32', 'f16', 'int8'] as const) test(`loading as ${dtype} holds the weights once, and no second copy of the largest tensor`, async ({ folder }) => {
  if (process.platform !== 'linux') return;
  const { stdout } = await runProgram(`
    import { readFileSync } from 'node:fs';
    import { createEngine, LongformerModel } from 'longformer-wasm';
    const status = (field) => Number(new RegExp(field + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
    const engine = await createEngine({ threads: 2 });
    const before = status('VmRSS');
    const model = await LongformerModel.fromPretrained(${JSON.stringify(folder)}, { engine, dtype: '${dtype}' });
    console.log(JSON.stringify({ grown: status('VmHWM') - before, memoryBytes: engine.info.memoryBytes }));
  `, { seconds: 60 });
  const { grown, memoryBytes } = JSON.parse(stdout) as { grown: number; memoryBytes: number };
  const { bytes, largest } = keptBytes(sizes, dtype);
  assert.ok(largest > 2 * BESIDES && bytes > largest);
  const limit = bytes + BESIDES;
  const inMB = (size: number): string => `${Math.round(size / MB)} MB`;
  assert.ok(memoryBytes < limit, `the engine holds ${inMB(memoryBytes)}, the weights are ${inMB(bytes)}`);
  assert.ok(grown > bytes, `the weights are resident: ${inMB(grown)} of ${inMB(bytes)}`);
  assert.ok(grown < limit, `the process grew by ${inMB(grown)}, allowed ${inMB(limit)}`);
});

test('a forward pass holds a few rows per token whatever the length', async ({ folder }) => {
  await using engine = await createEngine({ threads: 2 });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
  const oneLayer = new Blob([JSON.stringify({ ...config, num_hidden_layers: 1 })]);
  await using model = await LongformerModel.fromPretrained({
    open: async (name) => (name === 'config.json' ? oneLayer : openAsBlob(join(folder, name))),
  }, { engine });
  const grown: number[] = [];
  let last = engine.info.memoryBytes;
  for (const length of [5_000, 10_000, 20_000]) {
    await model.forward({ inputIds: new Uint32Array(length).fill(5), globalTokens: [0] }, { positions: [0] });
    grown.push((engine.info.memoryBytes - last) / (4 * sizes.hidden_size));
    last = engine.info.memoryBytes;
  }
  // Hidden states, context, keys and values are four rows a token. Dense scores would be 20,000
  // floats per token and head, an intermediate activation of all tokens four rows more.
  const rowsPerToken = grown.reduce((a, b) => a + b) / 20_000;
  assert.ok(rowsPerToken < 6, `${rowsPerToken.toFixed(1)} rows of memory per token`);
});

test.run();
