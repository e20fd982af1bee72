// The product ladder: linear layers by themselves, on one thread and on all, as a share of what the best
// tile of the same kind reaches in the same run, beside MatMul and DynamicQuantizeMatMul's parts in
// onnxruntime-web. Verified by some rows in double precision.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEngine } from '../dist/index.js';
import { ceilings } from './ceiling.ts';
import { Report, summaryOf } from './measure.ts';
import { linearProduct, SHAPES } from './products.ts';

const report = new Report('product', 'each that is named');
const { threads: all } = await countThreads();
const peer = fileURLToPath(new URL('product-ort-web.ts', import.meta.url));
const tsNode = new URL('../scripts/ts-node.mjs', import.meta.url).href;

for (const threads of new Set([1, all])) {
  const engine = await createEngine({ threads });
  const ceiling = await ceilings();
  const { build } = engine.info;
  report.add({ what: 'ceiling', threads, build, 'registers GFLOP/s': ceiling.registers * threads, 'tile GFLOP/s': ceiling.tile * threads, tile: ceiling.tileName });
  for (const shape of SHAPES) {
    const [rows, cols, depth] = shape;
    const rates: Record<string, number> = {};
    for (const dtype of ['f32', 'int8'] as const) {
      const { best, median } = await linearProduct(engine, shape, dtype);
      rates[dtype] = shape.reduce((product, size) => product * size, 2) / median / 1e6;
      report.add({
        what: 'product', dtype, shape: shape.join('x'), rows, cols, depth, threads, build, 'best ms': best, 'median ms': median, 'GFLOP/s': rates[dtype],
        ...(dtype === 'f32' ? { 'of the tile %': (100 * rates[dtype]) / (ceiling.tile * threads) } : { 'of f32': rates[dtype] / rates['f32']! }),
      });
    }
    for (const kind of ['f32', 'q8']) {
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsNode, peer, kind, ...shape.map(String), String(threads)]);
      const { milliseconds, version } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { milliseconds: number[]; version: string };
      const { best, median } = summaryOf(milliseconds);
      const rate = shape.reduce((product, size) => product * size, 2) / median / 1e6;
      report.add({
        what: 'peer', dtype: kind, shape: shape.join('x'), rows, cols, depth, threads, build: `onnxruntime-web ${version}`, 'best ms': best, 'median ms': median, 'GFLOP/s': rate,
        'ours over it': rates[kind === 'f32' ? 'f32' : 'int8']! / rate,
      });
    }
  }
  await engine.dispose();
}
for (const threads of new Set([1, all])) await wide(threads);
await report.keep();

/** The same products by 256 bits, where there are any. */
async function wide(threads: number): Promise<void> {
  await using engine = await createEngine({ threads, simd: 'wide' });
  const { build, simd } = engine.info;
  if (simd !== 'wide') return;
  for (const shape of SHAPES) {
    for (const dtype of ['f32', 'int8'] as const) {
      const { best, median } = await linearProduct(engine, shape, dtype);
      const rate = shape.reduce((product, size) => product * size, 2) / median / 1e6;
      report.add({ what: 'product', dtype: `${dtype} wide`, shape: shape.join('x'), threads, build, 'best ms': best, 'median ms': median, 'GFLOP/s': rate });
    }
  }
}

async function countThreads(): Promise<{ threads: number }> {
  await using engine = await createEngine();
  return engine.info;
}
