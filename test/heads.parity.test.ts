// Every head, and attentions, against Hugging Face's, on one tiny encoder with sharpened weights.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFile } from 'node:fs/promises';
import {
  createEngine, loadModel, LongformerForMultipleChoice, type AnyModel, type Engine, type ForwardOptions, type Sequence, type Tensor,
} from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import { assertClose, largestDifference } from './close.ts';
import { headFiles, tinyHeads } from './tiny-heads.ts';

interface Case {
  head: string;
  key: string;
  name: string;
  outputs: string[];
  sequences: Sequence[];
  float32Error: number;
}

const { cases } = JSON.parse(await readFile(new URL('cases.json', tinyHeads), 'utf8')) as { cases: Case[] };
for (const { sequences } of cases) for (const sequence of sequences as { chosen?: unknown }[]) delete sequence.chosen; // what transformers was given
const stored = await openSafetensors((await (await openSource(tinyHeads)).open('cases.safetensors'))!);

async function expected({ key }: Case, output: string): Promise<{ dims: readonly number[]; data: Float32Array }> {
  const name = `${key}.${output}`;
  return { dims: stored.tensors.get(name)!.shape, data: new Float32Array((await stored.read(name)).buffer) };
}

/**
 * How far the result may be from float64: three times as far as PyTorch's own float32 result is,
 * but 5e-5 is granted where that was lucky.
 */
const tolerance = ({ float32Error }: Case): number => Math.max(3 * float32Error, 5e-5);

/** The tensor of that name: `logits`, or `attentions.1`. */
function outputOf(result: object, name: string): Tensor {
  return name.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], result) as Tensor;
}

const isAttentions = (head: string): boolean => head === 'attentions';

async function forward(model: AnyModel, { head, sequences }: Case, options: ForwardOptions = {}): Promise<object> {
  const wanted = { ...options, outputAttentions: isAttentions(head) };
  return model instanceof LongformerForMultipleChoice ? model.forward(sequences, wanted) : model.forward(sequences[0]!, wanted);
}

for (const threads of [1, 2]) {
  const test = suite<{ engine: Engine; models: Map<string, AnyModel> }>(`heads as in transformers, ${threads} threads`);
  test.before(async (context) => {
    context.engine = await createEngine({ threads });
    context.models = new Map();
    for (const head of new Set(cases.map(({ head }) => head))) {
      context.models.set(head, await loadModel(await headFiles(head), { engine: context.engine }));
    }
  });
  test.after(({ engine }) => engine.dispose());

  for (const one of cases) {
    test(`${one.head}: ${one.name}`, async ({ models }) => {
      const result = await forward(models.get(one.head)!, one);
      let worst = 0;
      for (const output of one.outputs) {
        const [actual, { dims, data }] = [outputOf(result, output), await expected(one, output)];
        assert.equal(actual.dims, dims, output);
        assertClose(actual.data, data, tolerance(one), `${one.name}, ${output}`);
        worst = Math.max(worst, largestDifference(actual.data, data));
      }
      console.log(`  ${one.head}, ${one.name}: off float64 by ${worst.toExponential(1)}, transformers in float32 by ${one.float32Error.toExponential(1)}`);
    });
  }

  test('a ragged batch gives what its sequences give alone', async ({ models }) => {
    for (const [head, model] of models) {
      if (model instanceof LongformerForMultipleChoice) continue;
      const own = cases.filter((one) => one.head === head);
      const wanted = { outputAttentions: isAttentions(head) };
      for (const maxBatchTokens of [16384, 40]) {
        const batch = await model.forward(own.map(({ sequences }) => sequences[0]!), { ...wanted, maxBatchTokens });
        for (const [i, one] of own.entries()) {
          for (const output of one.outputs) {
            assertClose(outputOf(batch[i]!, output).data, (await expected(one, output)).data, tolerance(one), `${one.key}, ${output}`);
          }
        }
      }
    }
  });

  test.run();
}
