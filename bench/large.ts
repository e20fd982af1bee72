// longformer-large in single precision, 1.7 GB of random weights, in a memory of 4 GiB; and a model
// that lies above 2 GiB there, whose results must be those that it gives alone.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, LongformerModel, type Engine } from '../dist/index.js';
import { writeRandom } from '../test/random-checkpoint.ts';
import { Report } from './measure.ts';

const LARGE = {
  vocab_size: 50_265, hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, intermediate_size: 4096, attention_window: 512,
  max_position_embeddings: 4098,
};

/** 800 MB, which would end above 2 GiB even if it began at the weights of the other. */
const SECOND = { ...LARGE, num_hidden_layers: 10 };

const ids = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => 3 + (i * i * 7 + i) % 50_000);
const short = { inputIds: ids(300), globalTokens: [0] };

const root = await mkdtemp(join(tmpdir(), 'large-'));
try {
  const folders = [join(root, 'large'), join(root, 'second')] as const;
  for (const [i, sizes] of [LARGE, SECOND].entries()) {
    await mkdir(folders[i]!);
    await writeRandom(folders[i]!, sizes);
  }
  const engine = await createEngine();
  const report = new Report('large', engine.info.build);
  const large = await load(engine, folders[0], report, 'load');
  for (const tokens of [512, 4096]) {
    const start = performance.now();
    const { lastHiddenState: { data } } = await large.forward({ inputIds: ids(tokens), globalTokens: [0] });
    if (!data.every(Number.isFinite)) throw new Error('hidden states must be numbers');
    report.add({ what: 'forward', tokens, threads: engine.info.threads, ms: performance.now() - start, 'memory bytes': engine.info.memoryBytes });
  }
  const second = await load(engine, folders[1], report, 'load above');
  if (engine.info.memoryBytes < 2.2 * 2 ** 30) throw new Error('the second model must lie above 2 GiB');
  const above = (await second.forward(short)).lastHiddenState.data;
  await engine.dispose();

  const alone = await createEngine();
  const same = await (await LongformerModel.fromPretrained(folders[1], { engine: alone })).forward(short);
  await alone.dispose();
  if (!above.every((x, i) => x === same.lastHiddenState.data[i])) throw new Error('results above 2 GiB must be those below');
  report.add({ what: 'above 2 GiB', 'equal bits': above.length });
  await report.keep();
} finally {
  await rm(root, { recursive: true });
}

async function load(engine: Engine, folder: string, report: Report, what: string): Promise<LongformerModel> {
  const start = performance.now();
  const model = await LongformerModel.fromPretrained(folder, { engine });
  report.add({ what, ms: performance.now() - start, 'weight bytes': model.plan({ tokens: 1 }).weightBytes, 'memory bytes': engine.info.memoryBytes });
  return model;
}
