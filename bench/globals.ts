// The rows of global tokens, over their number. A few fold the projections of their keys and values
// into their queries and results, from `folds` in crate/src/attention/global.rs on these are projected:
// a line through the times below that switch and one through those above it. They should cross at it.

import { line } from './fit.ts';
import { build, done, HEAD_DIM, HEADS, HIDDEN_SIZE, instance, random } from './kernel.ts';
import { inTurn, Report } from './measure.ts';

const SEQ_LEN = 4096;
const ONE_SIDED_WINDOW = 32; // little beside what is looked at
const SWITCH = (7 * HEAD_DIM) / 8; // as in `folds`
const FOLDED = [1, 8, 16, 24, 32, 40, 48, SWITCH - 1];
const PROJECTED = [SWITCH, 64, 80, 96, 128];

const { wasm } = await instance();
const report = new Report('globals', build.name);
const bytes = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function projections(seed: number): InstanceType<typeof wasm.Projections> {
  const [query, key, value] = [0, 1, 2].map((i) => {
    const linear = new wasm.Linear(wasm.Storage.F32, HIDDEN_SIZE, HIDDEN_SIZE, HEADS);
    linear.writeWeight(0, wasm.Dtype.F32, bytes(random(HIDDEN_SIZE, seed + i).map((weight) => weight / Math.sqrt(HIDDEN_SIZE))));
    return linear;
  });
  return new wasm.Projections(query!, key!, value!);
}

/** Normalised rows, as the first layer of a model gets them. */
function hiddenStates() {
  const table = (rows: number): InstanceType<typeof wasm.Table> => new wasm.Table(wasm.Storage.F32, rows, HIDDEN_SIZE);
  const words = table(SEQ_LEN);
  words.writeWeight(0, wasm.Dtype.F32, bytes(random(SEQ_LEN, 7)));
  const norm = new wasm.LayerNorm(HIDDEN_SIZE, 1e-5);
  norm.writeWeight(0, wasm.Dtype.F32, bytes(new Float32Array(HIDDEN_SIZE).fill(1)));
  const embeddings = new wasm.Embeddings(words, table(1), table(1), norm);
  const zeros = new Uint32Array(SEQ_LEN);
  const states = new wasm.HiddenStates(HIDDEN_SIZE);
  done(wasm, (work) => embeddings.forward(work, zeros.map((_, i) => i), zeros, zeros, states));
  return states;
}

const states = hiddenStates();
const [local, global] = [projections(1), projections(4)];
const pattern = new wasm.Pattern(ONE_SIDED_WINDOW, new Uint32Array(HEADS).fill(1), false);
const context = new wasm.Context();
const works = [0, ...FOLDED, ...PROJECTED].map((globals) => {
  const batch = new wasm.Batch();
  batch.push(SEQ_LEN, Uint32Array.from({ length: globals }, (_, i) => i * Math.floor(SEQ_LEN / globals)), new Uint32Array());
  return [globals, () => done(wasm, (work) => states.attend(work, local, global, batch, pattern, context))];
});
const times = await inTurn(Object.fromEntries(works) as Record<number, () => void>, { rounds: 3 });
const best = (globals: number): number => times[globals]!.best;

for (const globals of [0, ...FOLDED, ...PROJECTED]) {
  report.add({
    what: 'globals', globals, way: globals === 0 ? 'none' : globals < SWITCH ? 'folded' : 'projected', tokens: SEQ_LEN, 'hidden size': HIDDEN_SIZE,
    'best ms': best(globals), 'median ms': times[globals]!.median, 'over none ms': best(globals) - best(0),
  });
}
// Not from all of them: a few global tokens fill no register tile, many more than the switch say little about it.
const folded = line([8, 16, 24, 32, 40, 48, SWITCH - 1].map((globals) => [globals, best(globals)]));
const projected = line([SWITCH, 64, 80, 96].map((globals) => [globals, best(globals)]));
report.add({
  what: 'switch', at: SWITCH, 'lines cross at': (projected.a - folded.a) / (folded.b - projected.b),
  'projected over folded at the switch %': 100 * ((projected.a + projected.b * SWITCH) / (folded.a + folded.b * SWITCH) - 1),
});
await report.keep();
