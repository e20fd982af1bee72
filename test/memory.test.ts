// What loading and running hold in memory, measured from outside: resident size in a process of its own.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEngine, LongformerModel } from 'longformer-wasm';
import { writeSafetensors } from '../dist/files/safetensors-writer.js';

const MB = 2 ** 20;

/** A checkpoint of zeros: its numbers do not matter here, its size does. */
const config = {
  model_type: 'longformer', architectures: ['LongformerModel'], hidden_act: 'gelu', vocab_size: 60_000, hidden_size: 512,
  num_hidden_layers: 12, num_attention_heads: 8, intermediate_size: 2048, attention_window: 128, max_position_embeddings: 40_002,
  type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1,
};

function shapes(): [string, number[]][] {
  const { vocab_size, hidden_size: hidden, intermediate_size: inner, max_position_embeddings, type_vocab_size } = config;
  const linear = (name: string, inFeatures: number, outFeatures: number): [string, number[]][] =>
    [[`${name}.weight`, [outFeatures, inFeatures]], [`${name}.bias`, [outFeatures]]];
  const norm = (name: string): [string, number[]][] => [[`${name}.weight`, [hidden]], [`${name}.bias`, [hidden]]];
  const layer = (prefix: string): [string, number[]][] => [
    ...['query', 'key', 'value', 'query_global', 'key_global', 'value_global']
      .flatMap((name) => linear(`${prefix}.attention.self.${name}`, hidden, hidden)),
    ...linear(`${prefix}.attention.output.dense`, hidden, hidden), ...norm(`${prefix}.attention.output.LayerNorm`),
    ...linear(`${prefix}.intermediate.dense`, hidden, inner), ...linear(`${prefix}.output.dense`, inner, hidden),
    ...norm(`${prefix}.output.LayerNorm`),
  ];
  return [
    ['embeddings.word_embeddings.weight', [vocab_size, hidden]],
    ['embeddings.position_embeddings.weight', [max_position_embeddings, hidden]],
    ['embeddings.token_type_embeddings.weight', [type_vocab_size, hidden]],
    ...norm('embeddings.LayerNorm'),
    ...Array.from({ length: config.num_hidden_layers }, (_, i) => layer(`encoder.layer.${i}`)).flat(),
  ];
}

async function writeCheckpoint(folder: string): Promise<{ bytes: number; largest: number }> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  const zeros = new Uint8Array(MB);
  let [bytes, largest] = [0, 0];
  const tensors = shapes().map(([name, shape]) => {
    const size = 4 * shape.reduce((a, b) => a * b, 1);
    bytes += size;
    largest = Math.max(largest, size);
    return {
      name, dtype: 'F32' as const, shape,
      async *chunks() { for (let at = 0; at < size; at += MB) yield zeros.subarray(0, Math.min(MB, size - at)); },
    };
  });
  for await (const part of writeSafetensors(tensors)) await file.write(part);
  await file.close();
  return { bytes, largest };
}

const test = suite<{ folder: string; bytes: number; largest: number }>('memory');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'memory-'));
  Object.assign(context, await writeCheckpoint(context.folder));
});

test.after(({ folder }) => rm(folder, { recursive: true }));

test('loading peaks at the weights and the largest tensor', async ({ folder, bytes, largest }) => {
  if (process.platform !== 'linux') return;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', `
    import { readFileSync } from 'node:fs';
    import { createEngine, LongformerModel } from 'longformer-wasm';
    const status = (field) => Number(new RegExp(field + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
    const engine = await createEngine({ threads: 2 });
    const before = status('VmRSS');
    const model = await LongformerModel.fromPretrained(${JSON.stringify(folder)}, { engine });
    console.log(JSON.stringify({ grown: status('VmHWM') - before, memoryBytes: engine.info.memoryBytes }));
  `], { timeout: 60_000 });
  const { grown, memoryBytes } = JSON.parse(stdout) as { grown: number; memoryBytes: number };
  const limit = bytes + largest;
  const inMB = (size: number): string => `${Math.round(size / MB)} MB`;
  assert.ok(memoryBytes < limit, `the engine holds ${inMB(memoryBytes)}, the checkpoint ${inMB(bytes)}`);
  assert.ok(grown > bytes, `the weights are resident: ${inMB(grown)} of ${inMB(bytes)}`);
  assert.ok(grown < limit, `the process grew by ${inMB(grown)}, allowed ${inMB(limit)}`);
});

test('a forward pass holds a few rows per token whatever the length', async ({ folder }) => {
  await using engine = await createEngine({ threads: 2 });
  const oneLayer = new Blob([JSON.stringify({ ...config, num_hidden_layers: 1 })]);
  await using model = await LongformerModel.fromPretrained({
    open: async (name) => (name === 'config.json' ? oneLayer : openAsBlob(join(folder, name))),
  }, { engine });
  const grown: number[] = [];
  let last = engine.info.memoryBytes;
  for (const length of [5_000, 10_000, 20_000]) {
    await model.forward({ inputIds: new Uint32Array(length).fill(5), globalTokens: [0] }, { positions: [0] });
    grown.push((engine.info.memoryBytes - last) / (4 * config.hidden_size));
    last = engine.info.memoryBytes;
  }
  // Hidden states, context, keys and values are four rows a token. Dense scores would be 20,000
  // floats per token and head, an intermediate activation of all tokens four rows more.
  const rowsPerToken = grown.reduce((a, b) => a + b) / 20_000;
  assert.ok(rowsPerToken < 6, `${rowsPerToken.toFixed(1)} rows of memory per token`);
});

test.run();
