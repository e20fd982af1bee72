// Loads, runs and disposes of a model some times, on any runtime. Says what was resident after each
// cycle, as its last line; the process then ends by itself.

import { readFileSync } from 'node:fs';
import { createEngine, LongformerModel } from '../dist/index.js';

const [folder, cycles] = process.argv.slice(2);
const inputIds = Uint32Array.from({ length: 1024 }, (_, i) => 3 + (i * 7) % 990);
const resident = [];
let info;
for (let i = 0; i < Number(cycles); i++) {
  const engine = await createEngine({ threads: 2 });
  const model = await LongformerModel.fromPretrained(folder, { engine });
  await model.forward({ inputIds, globalTokens: [0] });
  info = engine.info;
  await model.dispose();
  await engine.dispose();
  resident.push(Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024);
}
console.log(JSON.stringify({ ...info, resident }));
