// What every consumer runs: an engine, a tiny model, and how far its numbers are from the fixture's.

import { createEngine, LongformerModel } from 'longformer-wasm';

/** `folder`: of the checkpoint; `given`: a sequence, rows, and the numbers that they should have. */
export async function check(folder, { sequence, positions, expected }, options = {}) {
  const engine = await createEngine({ threads: 2, ...options });
  const model = await LongformerModel.fromPretrained(folder, { engine });
  const { lastHiddenState } = await model.forward(sequence, { positions });
  const { build, threads } = engine.info;
  await engine.dispose();
  let difference = lastHiddenState.data.length === expected.length ? 0 : Infinity;
  lastHiddenState.data.forEach((x, i) => { difference = Math.max(difference, Math.abs(x - expected[i])); });
  return { build, threads, difference };
}
