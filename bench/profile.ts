// What a pass of a base model spends its time on: V8's sampling profiler over the build for one thread,
// the same code as it is shipped, with the names of its functions kept.

import { Session, type Profiler } from 'node:inspector';
import { createEngine, LongformerModel } from '../dist/index.js';
import { ceilings } from './ceiling.ts';
import { modelsOf } from './checkpoints.ts';
import { Report } from './measure.ts';
import { sharesOf } from './profile-parts.ts';
import { idsOf } from './shapes.ts';

const CASES = [['f32', 16], ['f32', 512], ['f32', 4096], ['int8', 16], ['int8', 512], ['int8', 4096]] as const;
const LEAST_MS = 8000; // of samples
const SAMPLE_US = 500;

const folder = await modelsOf('base', process.env['PYTHON']);
const engine = await createEngine({ worker: false, wasm: new URL('../target/named/', import.meta.url) });
const report = new Report('profile', engine.info.build);
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
for (const [dtype, tokens] of CASES) {
  const model = await LongformerModel.fromPretrained(folder, { engine, dtype });
  const sequence = { inputIds: idsOf(tokens), globalTokens: [0] };
  const pass = async (): Promise<void> => { await model.forward(sequence); };
  for (const end = performance.now() + LEAST_MS / 4; performance.now() < end;) await pass(); // until it is compiled well
  const { tile } = await ceilings();
  session.post('Profiler.start');
  const start = performance.now();
  let passes = 0;
  while (passes === 0 || performance.now() - start < LEAST_MS) {
    await pass();
    passes += 1;
  }
  const ms = (performance.now() - start) / passes;
  const profile = await new Promise<Profiler.Profile>((resolve, reject) => {
    session.post('Profiler.stop', (error, result) => (error ? reject(error) : resolve(result.profile)));
  });
  const shares = sharesOf(profile);
  const { flops } = model.plan({ tokens, globalTokens: 1 });
  const products = (shares['linear layers']! + shares['products of attention']! + shares['global rows']!) / 100;
  report.add({ what: 'profile', dtype, tokens, passes, ms, 'tile GFLOP/s': tile, 'products GFLOP/s': flops / (ms * 1e6 * products), ...shares });
  await model.dispose();
}
session.disconnect();
await engine.dispose();
await report.keep();
