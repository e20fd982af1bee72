// A converted checkpoint against PyTorch's result for the one it was converted from.
//
// On a text that one side of the window covers, both must compute the same. The long text of the
// fixtures also covers the repeated positions: there PyTorch ran the source with its table repeated.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  convertToLongformer, createEngine, loadModel, LongformerForMaskedLM, LongformerForSequenceClassification, LongformerModel, type Engine,
} from 'longformer-wasm';
import { weightsInPlace } from '../scripts/weights.mjs';
import { assertClose } from './close.ts';

const fixtures = new URL('./fixtures/', import.meta.url);
const test = suite<{ root: string; engine: Engine }>('a converted checkpoint');

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'converted-'));
  context.engine = await createEngine();
});

test.after(async ({ root, engine }) => {
  await engine.dispose();
  await rm(root, { recursive: true });
});

interface Case {
  name: string;
  inputIds: number[];
  float32Error: number;
}

async function casesOf<T>(file: string): Promise<(Case & T)[]> {
  return (JSON.parse(await readFile(new URL(file, fixtures), 'utf8')) as { cases: (Case & T)[] }).cases;
}

/** Three times PyTorch's own error in float32; 1e-5 is granted where that was lucky. */
const tolerance = ({ float32Error }: Case): number => Math.max(3 * float32Error, 1e-5);

for (const source of ['tiny-bert', 'tiny-bert-mlm', 'tiny-bert-classifier', 'tiny-roberta']) {
  test(`of ${source} computes what the source computes`, async ({ root, engine }) => {
    const target = join(root, source);
    // One side covers the longest text.
    await convertToLongformer(new URL(`${source}/`, fixtures), target, { maxPositions: 100, attentionWindow: 200 });
    await using model = await LongformerModel.fromPretrained(target, { engine });
    for (const one of await casesOf<{ rows: number[]; lastHiddenState: number[][] }>(`${source}/expected.json`)) {
      // Global tokens change nothing: they see the same keys through copies of the same projections.
      for (const globalTokens of [[], [0], [0, 5, one.inputIds.length - 1]]) {
        const { lastHiddenState } = await model.forward({ inputIds: one.inputIds, globalTokens }, { positions: one.rows });
        assertClose(lastHiddenState.data, one.lastHiddenState.flat(), tolerance(one), `${one.name}, global [${globalTokens}]`);
      }
    }
  });
}

for (const source of ['tiny-bert-mlm', 'tiny-bert-classifier', 'tiny-roberta']) {
  test(`of ${source} gives the logits of the source`, async ({ root, engine }) => {
    const target = join(root, `${source}-logits`);
    await convertToLongformer(new URL(`${source}/`, fixtures), target, { maxPositions: 100, attentionWindow: 200 });
    await using model = await loadModel(target, { engine });
    assert.instance(model, source === 'tiny-bert-classifier' ? LongformerForSequenceClassification : LongformerForMaskedLM);
    for (const one of await casesOf<{ rows: number[]; logits: number[][] | number[] }>(`${source}/expected.json`)) {
      const options = model instanceof LongformerForMaskedLM ? { positions: one.rows } : {};
      const { logits } = await (model as LongformerForMaskedLM).forward({ inputIds: one.inputIds }, options);
      // float32Error is that of hidden states, of which logits are sums of up to 16 with weights of 0.3.
      assertClose(logits.data, one.logits.flat(), 3 * tolerance(one), one.name);
    }
  });
}

// Tests need no Python and no network: only weights that are there already are looked at.
const weights = weightsInPlace();
const testOfWeights = weights === null ? test.skip : test;
if (weights === null) console.log('all-MiniLM-L6-v2 is not there: skipped');

testOfWeights('of all-MiniLM-L6-v2 gives its sentence embeddings', async ({ root, engine }) => {
  const target = join(root, 'minilm');
  await convertToLongformer(weights!, target, { maxPositions: 4096, attentionWindow: 128 });
  await using model = await LongformerModel.fromPretrained(target, { engine });
  const cases = await casesOf<{ text: string; mean: number[]; normalized: number[] }>('minilm.json');
  const outputs = await model.forward(cases.map(({ inputIds }) => ({ inputIds })));
  for (const [i, { dims: [rows, cols], data }] of outputs.map(({ lastHiddenState }) => lastHiddenState).entries()) {
    const one = cases[i]!;
    const mean = Array.from({ length: cols! }, (_, col) => {
      let sum = 0;
      for (let row = 0; row < rows!; row++) sum += data[row * cols! + col]!;
      return sum / rows!;
    });
    const norm = Math.hypot(...mean);
    assertClose(mean, one.mean, tolerance(one), one.text);
    assertClose(mean.map((value) => value / norm), one.normalized, tolerance(one) / norm, `${one.text}, normalized`);
  }
});

test.run();
