// Converted checkpoints of every class: they load in transformers without a tensor missing, and give there
// and here what their sources give.
//
// Needs Python with transformers, named by PYTHON or python3: skipped without.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer, createEngine, loadModel, LongformerForMultipleChoice } from 'longformer-wasm';
import { assertClose } from './close.ts';

const python = process.env.PYTHON ?? 'python3';
const run = async (...args: string[]): Promise<string> => (await promisify(execFile)(python, args, { timeout: 160_000, maxBuffer: 2 ** 26 })).stdout;
const hasTransformers = await run('-c', 'import torch, transformers').then(() => true, () => false);
if (!hasTransformers) console.log('Python with transformers is not there: skipped');

const test = suite('converted heads');
const script = fileURLToPath(new URL('./fixtures/converted.py', import.meta.url));

/** float32 on both sides; numbers of up to 10 through two layers. */
const TOLERANCE = 5e-5;

const OURS: Readonly<Record<string, string>> = {
  last_hidden_state: 'lastHiddenState', pooler_output: 'poolerOutput', logits: 'logits', start_logits: 'startLogits', end_logits: 'endLogits',
};

type Outputs = Record<string, number[]>;

(hasTransformers ? test : test.skip)('give what their sources give, in transformers and here', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'converted-heads-'));
  await using engine = await createEngine({ threads: 2 });
  try {
    await run(script, 'make', folder);
    const classes = ['Bert', 'Roberta'].flatMap((kind) =>
      ['Model', 'ForMaskedLM', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice'].map((head) => kind + head));
    classes.push('BertForPreTraining');
    for (const name of classes) {
      await convertToLongformer(join(folder, name), join(folder, `${name}.converted`), { maxPositions: 80, attentionWindow: 40 });
    }
    const { inputIds, results } = JSON.parse(await run(script, 'run', folder)) as { inputIds: number[]; results: Record<string, Outputs> };
    for (const name of classes) {
      const expected = results[name]!;
      // RobertaModel has a pooler by default, and so has what it becomes; buffers and the like are none's.
      assert.equal(results[`${name}.report`], { missing_keys: [], unexpected_keys: [] }, name);
      const model = await loadModel(join(folder, `${name}.converted`), { engine });
      const ours = (model instanceof LongformerForMultipleChoice ? await model.forward([{ inputIds }]) : await model.forward({ inputIds })) as object;
      assert.ok(Object.keys(expected).length > 0, name);
      for (const [output, values] of Object.entries(expected)) {
        assertClose(results[`${name}.converted`]![output]!, values, TOLERANCE, `${name} in transformers, ${output}`);
        const { data } = (ours as Record<string, { data: Float32Array }>)[OURS[output]!]!;
        assertClose(data, values, TOLERANCE, `${name} here, ${output}`);
      }
      await model.dispose();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
