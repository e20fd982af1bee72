// The same on every runtime and in every browser: what the machine can do there, products, attention and
// models, each verified before it is timed. Says it in one line of JSON.

import { largestError } from '../dist/cli/attention-check.js';
import { randomModel, SHAPE } from '../dist/cli/random-model.js';
import { createEngine, LongformerModel, type Engine } from '../dist/index.js';
import { ceilings } from './ceiling.ts';
import { linearProduct, numbers } from './products.ts';
import { summaryOf, time } from './time.ts';

const MODELS = {
  base: { ...SHAPE, num_hidden_layers: 4 }, // of 12, so that it takes seconds
  minilm: { ...SHAPE, num_hidden_layers: 6, hidden_size: 384, intermediate_size: 1536 },
};
const LENGTHS = [512, 4096];

const lines: Record<string, string | number>[] = [];
const { registers, tile } = await ceilings();
const spawned: number[] = [];
for (let i = 0; i < 5; i++) {
  const start = performance.now();
  const one = await createEngine();
  spawned.push(performance.now() - start);
  await one.dispose();
}
const engine = await createEngine();
const { runtime, build, threads } = engine.info;
lines.push({ what: 'start', 'spawn ms': summaryOf(spawned).median, 'registers GFLOP/s': registers, 'tile GFLOP/s': tile });
await products();
for (const tokens of LENGTHS) await attention(tokens);
for (const name of ['base', 'minilm'] as const) {
  for (const dtype of ['f32', 'int8'] as const) await model(name, dtype);
}
await engine.dispose();
console.log(JSON.stringify({ runtime, build, threads, lines }));

async function products(): Promise<void> {
  for (const [shape, dtype] of [[[512, 768, 768], 'f32'], [[512, 3072, 768], 'f32'], [[512, 768, 768], 'int8']] as const) {
    for (const each of new Set([1, threads])) {
      const own: Engine = each === threads ? engine : await createEngine({ threads: each });
      const { median } = await linearProduct(own, shape, dtype);
      const rate = (2 * shape[0] * shape[1] * shape[2]) / median / 1e6;
      lines.push({ what: 'product', shape: shape.join('x'), dtype, threads: each, 'median ms': median, 'GFLOP/s': rate, 'of the tile %': (100 * rate) / (tile * each) });
      if (own !== engine) await own.dispose();
    }
  }
}

async function attention(seqLen: number): Promise<void> {
  const [numHeads, headDim] = [12, 64];
  const [query, key, value] = [1, 2, 3].map((seed) => numbers(seqLen * numHeads * headDim, seed)) as [Float32Array, Float32Array, Float32Array];
  const input = { query, key, value, seqLen, numHeads, headDim, oneSidedWindow: 256, globalTokens: [0] };
  const off = largestError(input, (await engine.attention(input)).data, [0, seqLen >> 1, seqLen - 1]);
  if (!(off < 1e-4)) throw new Error(`attention is off by ${off}`);
  const { best, median } = await time(() => engine.attention(input));
  lines.push({ what: 'attention', tokens: seqLen, threads, 'best ms': best, 'median ms': median });
}

async function model(name: keyof typeof MODELS, dtype: 'f32' | 'int8'): Promise<void> {
  const source = await randomModel(MODELS[name]);
  const start = performance.now();
  const model = await LongformerModel.fromPretrained(source, { engine, dtype });
  const loaded = performance.now() - start;
  const first: number[] = [];
  for (const tokens of LENGTHS) {
    const sequence = { inputIds: Uint32Array.from({ length: tokens }, (_, i) => 3 + (i * 7919) % 1000), globalTokens: [0] };
    const begun = performance.now();
    const alone = (await model.forward(sequence)).lastHiddenState.data;
    first.push(performance.now() - begun);
    const [again] = await model.forward([sequence, { inputIds: sequence.inputIds.subarray(0, 100), globalTokens: [0] }]);
    if (!alone.every((x, i) => Math.abs(x - again!.lastHiddenState.data[i]!) < 1e-3)) throw new Error('a neighbour in the batch must not change a result');
    const { best, median } = await time(() => model.forward(sequence), { rounds: tokens > 1000 ? 3 : 5, uncounted: 0 });
    const { flops } = model.plan({ tokens, globalTokens: 1 });
    lines.push({
      what: 'model', model: name, dtype, tokens, threads, layers: MODELS[name].num_hidden_layers, 'best ms': best, 'median ms': median,
      'of the ceiling %': (100 * flops) / (median * 1e6 * registers * threads), ...(first.length === 1 && { 'load ms': loaded, 'first over steady': first[0]! / median }),
    });
  }
  await model.dispose();
}
