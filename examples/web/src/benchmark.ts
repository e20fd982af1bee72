// How fast this browser is on this machine: each figure is verified before it is timed, as in
// `longformer-wasm bench`.

import { LongformerModel, type Engine, type LongCallOptions } from 'longformer-wasm';
import type { Model } from './desk';
import { bytes, count } from './words';

const ROUNDS = 3;

/** Rounding is far below, a mistake far above. */
const TOLERANCE = 1e-3;

/** Lines to be copied. `modelFor` may be null: attention alone is timed then. */
export async function benchmark(engine: Engine, model: Model | null, options: LongCallOptions): Promise<string> {
  const { runtime, build, threads, reason } = engine.info;
  const lines = [`longformer-wasm in ${runtime}, ${build}, ${threads} of ${navigator.hardwareConcurrency} cores (${reason})`];
  lines.push(await timedAttention(engine, 4096, options));
  if (model !== null) lines.push(...await timedModel(engine, model, options));
  lines.push(`memory ${bytes(engine.info.memoryBytes)}, ${new Date().toISOString().slice(0, 10)}`);
  return lines.join('\n');
}

/** Few heads: vectors go to the engine and back by way of the page's thread, which is to stay free. */
async function timedAttention(engine: Engine, seqLen: number, { signal }: LongCallOptions): Promise<string> {
  const [numHeads, headDim] = [2, 64];
  const vectors = (seed: number): Float32Array => {
    const some = Float32Array.from({ length: 509 * headDim }, (_, i) => Math.sin(seed + i * 12.9898));
    const all = new Float32Array(seqLen * numHeads * headDim);
    for (let at = 0; at < all.length; at += some.length) all.set(some.subarray(0, all.length - at), at);
    return all;
  };
  const [query, key, value] = [vectors(1), vectors(2), vectors(3)] as const;
  const shape = { query, key, value, seqLen, numHeads, headDim, globalTokens: [0] };
  // A window of 0 and no global token: each token sees itself, and its value comes back.
  const itself = await engine.attention({ ...shape, globalTokens: [], oneSidedWindow: 0 }, { signal });
  verify(itself.data.every((x, i) => x === value[i]));
  const best = await bestOf(() => engine.attention({ ...shape, oneSidedWindow: 256 }, { signal }));
  return `attention alone, ${numHeads} heads of ${headDim}, window 512, ${count(seqLen)} tokens: ${best.toFixed(0)} ms`;
}

async function timedModel(engine: Engine, { choice, options: own }: Model, options: LongCallOptions): Promise<string[]> {
  const model = await LongformerModel.fromPretrained(choice.open(options), { engine, dtype: 'f16', ...own, ...options });
  try {
    const lines: string[] = [];
    for (const tokens of [512, 4096].filter((tokens) => tokens <= model.maxTokens)) {
      const inputIds = Uint32Array.from({ length: tokens }, (_, i) => 1000 + (i * 7919) % ((model.config['vocab_size'] as number) - 1000));
      const forward = () => model.forward({ inputIds }, { ...options, positions: [0] });
      // A neighbour in the batch must change nothing.
      const alone = (await forward()).lastHiddenState.data;
      const [beside] = await model.forward([{ inputIds }, { inputIds: inputIds.slice(0, 100) }], { ...options, positions: [0] });
      verify(alone.every((x, i) => Math.abs(x - beside!.lastHiddenState.data[i]!) <= TOLERANCE));
      const best = await bestOf(forward);
      const { flops } = model.plan({ tokens });
      lines.push(`${choice.label} f16, ${count(tokens)} tokens: ${best.toFixed(0)} ms, ${count(tokens / best * 1000)} tokens/s, ${(flops / best / 1e6).toFixed(1)} GFLOP/s`);
    }
    return lines;
  } finally {
    await model.dispose();
  }
}

async function bestOf(work: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

function verify(isRight: boolean): void {
  if (!isRight) throw new Error('The numbers are wrong: nothing was timed.');
}
