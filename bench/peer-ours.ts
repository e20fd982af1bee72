// `peer-ours.ts FOLDER DTYPE THREADS [wide]`: a model of this package in a process of its own. Says in lines of
// JSON when it is ready, then answers `{ tokens, output? }` with `{ seconds }` or `{ error }`; the hidden
// states go into the file `output`. peer-ort-web.ts and peers.py speak the same.

import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createEngine, LongformerModel, type LoadOptions } from '../dist/index.js';
import { idsOf } from './shapes.ts';

const [folder, dtype, threads, simd] = process.argv.slice(2) as [string, NonNullable<LoadOptions['dtype']>, string, 'wide' | undefined];
const say = (line: object): void => console.log(JSON.stringify(line));

const begun = performance.now();
const engine = await createEngine({ threads: Number(threads), simd });
if (simd === 'wide' && engine.info.simd !== 'wide') throw new Error(engine.info.reason);
const spawned = performance.now();
const model = await LongformerModel.fromPretrained(folder, { engine, dtype });
say({
  ready: true, build: simd === 'wide' ? `${engine.info.build} with 256 bits` : engine.info.build, runtime: engine.info.runtime, spawnSeconds: (spawned - begun) / 1000, loadSeconds: (performance.now() - spawned) / 1000,
  weightBytes: model.plan({ tokens: 16 }).weightBytes,
});

for await (const line of createInterface({ input: process.stdin })) {
  const { tokens, output } = JSON.parse(line) as { tokens: number; output?: string };
  const sequence = { inputIds: idsOf(tokens), globalTokens: [0] };
  try {
    const start = performance.now();
    const { lastHiddenState: { data } } = await model.forward(sequence);
    const seconds = (performance.now() - start) / 1000;
    if (output !== undefined) await writeFile(output, data);
    say({ seconds, memoryBytes: engine.info.memoryBytes, flops: model.plan({ tokens, globalTokens: 1 }).flops });
  } catch (error) {
    say({ error: String((error as Error).message) });
  }
}
await engine.dispose();
