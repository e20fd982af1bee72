// allenai/longformer-base-4096 against the values in Hugging Face's own tests of it
// (tests/models/longformer/test_modeling_longformer.py at 08ace7414b).
//
// Runs where the checkpoint lies in the local cache of the Hub, says so where it does not.

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, LongformerForMaskedLM, LongformerModel, type Engine } from 'longformer-wasm';
import { assertClose } from './close.ts';

const { HF_HUB_CACHE, HF_HOME = join(homedir(), '.cache', 'huggingface') } = process.env;
const snapshots = join(HF_HUB_CACHE ?? join(HF_HOME, 'hub'), 'models--allenai--longformer-base-4096', 'snapshots');
const folder = (existsSync(snapshots) ? readdirSync(snapshots) : []).map((revision) => join(snapshots, revision))
  .find((snapshot) => existsSync(join(snapshot, 'config.json')) && ['model.safetensors', 'pytorch_model.bin'].some((name) => existsSync(join(snapshot, name))));
if (folder === undefined) console.log('allenai/longformer-base-4096 is not in the cache of the Hub: skipped');

const suiteOf = suite<{ engine: Engine }>('golden values of longformer-base-4096');
const test = folder === undefined ? suiteOf.skip : suiteOf;

suiteOf.before(async (context) => {
  context.engine = await createEngine();
});

suiteOf.after(({ engine }) => engine.dispose());

/** "Hello world! ", once, and a thousand times. */
const short = [0, 20920, 232, 328, 1437, 2];
const long = [0, ...Array.from({ length: 1000 }, () => [20920, 232, 328, 1437]).flat(), 2];

function sumOf(data: Float32Array): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum;
}

function assertRelative(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual / expected - 1) <= tolerance, `${what}: ${actual}, not ${expected}`);
}

test('the encoder, local and with global tokens', async ({ engine }) => {
  await using model = await LongformerModel.fromPretrained(folder!, { engine });
  for (const keyMask of [undefined, short.map(() => 1)]) {
    const { lastHiddenState: { data } } = await model.forward({ inputIds: short, ...(keyMask && { keyMask }) }, { positions: [0] });
    assertClose(data.subarray(-5), [0.0549, 0.1087, -0.1119, -0.0368, 0.0250], 1e-4, 'last_hidden_state[0, 0, -5:]');
  }
  const { lastHiddenState: { data } } = await model.forward({ inputIds: long, globalTokens: [1, 4, 21] });
  assertRelative(sumOf(data), 74585.8594, 1e-4, 'sum of the last hidden state');
  assertClose([sumOf(data) / data.length], [0.0243], 1e-4, 'mean of the last hidden state');
});

test('the masked language model', async ({ engine }) => {
  await using model = await LongformerForMaskedLM.fromPretrained(folder!, { engine });
  const { logits: { dims: [rows, vocab], data } } = await model.forward({ inputIds: long });
  assertRelative(sumOf(data), -6.1048e08, 1e-4, 'sum of the logits');
  assertRelative(sumOf(data) / data.length, -3.0348, 1e-4, 'mean of the logits');
  let loss = 0;
  for (const [row, id] of long.entries()) {
    const own = data.subarray(row * vocab!, (row + 1) * vocab!);
    let sum = 0;
    for (const value of own) sum += Math.exp(value - own[id]!);
    loss += Math.log(sum) / rows!;
  }
  assertClose([loss], [0.0074], 1e-4, 'loss');
});

suiteOf.run();
