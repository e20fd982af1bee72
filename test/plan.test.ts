// What a pass is predicted to take, against what it takes.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createEngine, LongformerForMaskedLM, LongformerForTokenClassification, LongformerModel, type FileSource, type ForwardOptions, type PlanRequest,
} from 'longformer-wasm';
import { openAsBlob } from 'node:fs';
import { assertRefuses } from './rejects.ts';
import { headShapes, writeZeros } from './zeros.ts';

const MB = 2 ** 20;
const narrow = {
  vocab_size: 5_000, hidden_size: 256, num_hidden_layers: 1, num_attention_heads: 4, intermediate_size: 1024, attention_window: 128,
  max_position_embeddings: 20_002,
};
const small = {
  vocab_size: 1_200, hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4, intermediate_size: 128, attention_window: 16,
  max_position_embeddings: 8_202,
};
const wide = { ...narrow, vocab_size: 20_000, hidden_size: 360, num_attention_heads: 12, intermediate_size: 700, max_position_embeddings: 6_002 };

const test = suite<{ folder: string }>('plan');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'plan-'));
  for (const [name, sizes, head] of [
    ['narrow', narrow, headShapes.tokenClassification(narrow)], ['small', small, undefined], ['wide', wide, headShapes.maskedLM(wide)],
  ] as const) {
    await mkdir(join(context.folder, name));
    await writeZeros(join(context.folder, name), sizes, head);
  }
});

test.after(({ folder }) => rm(folder, { recursive: true }));

type AnyClass = typeof LongformerModel | typeof LongformerForMaskedLM | typeof LongformerForTokenClassification;

interface Pass {
  checkpoint: 'small' | 'narrow' | 'wide';
  Model?: AnyClass;
  request: PlanRequest & { tokens: number };
  threads?: number;
  config?: Record<string, unknown>;
  dtype?: 'f16' | 'int8';
}

const passes: Pass[] = [
  { checkpoint: 'small', request: { tokens: 4_096 }, threads: 1 },
  { checkpoint: 'small', request: { tokens: 1_000, batch: 8 }, threads: 1 },
  { checkpoint: 'small', request: { tokens: 8_000 }, threads: 1, dtype: 'int8' },
  { checkpoint: 'small', request: { tokens: 4_096, globalTokens: 1 } },
  { checkpoint: 'narrow', request: { tokens: 1 } },
  { checkpoint: 'narrow', request: { tokens: 2_000 }, threads: 1 },
  { checkpoint: 'narrow', request: { tokens: 20_000, globalTokens: 1 } },
  { checkpoint: 'narrow', request: { tokens: 5_000, globalTokens: 1, attentionWindow: 2_000 } },
  { checkpoint: 'narrow', request: { tokens: 1_000, batch: 17 } },
  { checkpoint: 'narrow', request: { tokens: 1_000, batch: 9, maxBatchTokens: 4_000, globalTokens: 3 } },
  { checkpoint: 'narrow', request: { tokens: 5_000, globalTokens: 30 } },
  { checkpoint: 'narrow', request: { tokens: 3_000, globalTokens: 1_500 } },
  { checkpoint: 'narrow', request: { tokens: 5_000 }, Model: LongformerForTokenClassification },
  { checkpoint: 'narrow', request: { tokens: 5_000 }, config: { attention_dilation: [[1, 1, 2, 30]] } },
  { checkpoint: 'narrow', request: { tokens: 20_000, globalTokens: 1 }, dtype: 'int8' },
  { checkpoint: 'wide', request: { tokens: 6_000, globalTokens: 10 } },
  { checkpoint: 'wide', request: { tokens: 500 }, dtype: 'f16' },
  { checkpoint: 'wide', request: { tokens: 6_000, positions: 3 }, Model: LongformerForMaskedLM },
  { checkpoint: 'wide', request: { tokens: 1_000 }, Model: LongformerForMaskedLM },
];

async function changed(folder: string, config: Record<string, unknown>): Promise<FileSource> {
  return {
    async open(name) {
      const blob = await openAsBlob(join(folder, name)).catch(() => null);
      return blob === null || name !== 'config.json' ? blob : new Blob([JSON.stringify({ ...JSON.parse(await blob.text()) as object, ...config })]);
    },
  };
}

for (const { checkpoint, Model = LongformerModel, request, threads = 2, config = {}, dtype } of passes) {
  const what = `${Model.name} of ${checkpoint}, ${JSON.stringify({ ...request, threads, dtype, ...config })}`;
  test(what, async ({ folder }) => {
    await using engine = await createEngine({ threads });
    const model = await Model.fromPretrained(await changed(join(folder, checkpoint), config), { engine, dtype });
    const { peakBytes, weightBytes } = model.plan(request);
    const { tokens, batch = 1, globalTokens = 0, positions = tokens, ...options } = request;
    const sequence = { inputIds: new Uint32Array(tokens).fill(5), globalTokens: Array.from({ length: globalTokens }, (_, i) => i) };
    const wanted: ForwardOptions = { ...options, positions: Array.from({ length: positions }, (_, i) => i) };
    await model.forward(Array.from({ length: batch }, () => sequence), wanted);
    const measured = engine.info.memoryBytes;
    console.log(`  ${what}: predicted ${(peakBytes / MB).toFixed(1)} MB, measured ${(measured / MB).toFixed(1)} MB, weights ${(weightBytes / MB).toFixed(1)} MB`);
    assert.ok(Math.abs(peakBytes / measured - 1) < 0.15, `predicted ${peakBytes}, measured ${measured}`);
  });
}

test('work is that of the definition, and grows with the text', async ({ folder }) => {
  await using model = await LongformerModel.fromPretrained(join(folder, 'narrow'), { threads: 1 });
  const flops = (request: PlanRequest): number => model.plan(request).flops;
  const dense = 2 * (4 * 256 * 256 + 2 * 256 * 1024); // of one token
  const pooler = 2 * 256 * 256;
  assert.is(flops({ tokens: 1 }), dense + 4 * 256 + pooler);
  // 65 + 66 + .. + 128 + 129 ... 129 + .. + 65 keys for 1000 tokens
  const keys = Array.from({ length: 1000 }, (_, i) => 1 + Math.min(i, 64) + Math.min(999 - i, 64)).reduce((a, b) => a + b);
  assert.is(flops({ tokens: 1000 }), 1000 * dense + 4 * 256 * keys + pooler);
  assert.is(flops({ tokens: 1000, batch: 3 }), 3 * flops({ tokens: 1000 }));
  assert.ok(flops({ tokens: 20_000 }) < 2.01 * flops({ tokens: 10_000 }));
  assert.ok(flops({ tokens: 1000, globalTokens: 1 }) > flops({ tokens: 1000 }));
});

test('a batch of more tokens than 32 bits count is counted', async ({ folder }) => {
  await using model = await LongformerModel.fromPretrained(join(folder, 'narrow'), { threads: 1 });
  const peak = (batch: number): number => model.plan({ tokens: 4096, batch, maxBatchTokens: Infinity }).peakBytes;
  for (const batch of [2 ** 18, 2 ** 19, 2 ** 20]) assert.ok(Math.abs(peak(2 * batch) / peak(batch) - 2) < 0.01, `${batch}: ${peak(batch)}, twice: ${peak(2 * batch)}`);
});

test('sizes that a pass would refuse are refused by name', async ({ folder }) => {
  await using model = await LongformerModel.fromPretrained(join(folder, 'narrow'), { threads: 1 });
  const refuses = (request: object, words: RegExp): Promise<void> => assertRefuses(() => model.plan(request as PlanRequest), 'BAD_INPUT', words);
  await refuses({}, /tokens must be a whole number from 1 to 20000, got undefined/);
  await refuses({ tokens: 20_001 }, /tokens .* got 20001/);
  await refuses({ tokens: 10, globalTokens: 11 }, /globalTokens must be a whole number from 0 to 10/);
  await refuses({ tokens: 10, batch: 0 }, /batch/);
  await refuses({ tokens: 10, positions: -1 }, /positions/);
  await refuses({ tokens: 10, attentionWindow: 3 }, /attentionWindow/);
  await refuses({ tokens: 10, maxBatchTokens: 0 }, /maxBatchTokens/);
});

test.run();
