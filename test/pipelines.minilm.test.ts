// Vectors with real weights: all-MiniLM-L6-v2 as a Longformer, against sentence-transformers. Skipped
// where the weights were not fetched (`npm test` tries to, `node scripts/weights.mjs` does).

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer, pipeline, type Pipelines } from 'longformer-wasm';
import { weightsInPlace } from '../scripts/weights.mjs';
import { assertClose } from './close.ts';

const weights = weightsInPlace();

const suiteOfThese = suite<{ root: string; extract: Pipelines['feature-extraction'] }>('feature-extraction with all-MiniLM-L6-v2');
const test = weights === null ? suiteOfThese.skip : suiteOfThese;
if (weights === null) console.log('all-MiniLM-L6-v2 is not there: skipped');

suiteOfThese.before(async (context) => {
  if (weights === null) return;
  context.root = await mkdtemp(join(tmpdir(), 'minilm-'));
  const checkpoint = join(context.root, 'model');
  await convertToLongformer(weights, checkpoint, { maxPositions: 8192, attentionWindow: 128 });
  context.extract = await pipeline('feature-extraction', checkpoint);
});

suiteOfThese.after(async ({ root, extract }) => {
  if (weights === null) return;
  await extract.dispose();
  await rm(root, { recursive: true });
});

type Way = 'default' | 'mean' | 'cls' | 'max';

test('gives the vectors of sentence-transformers', async ({ extract }) => {
  const { cases } = JSON.parse(await readFile(new URL('./fixtures/minilm-pooling.json', import.meta.url), 'utf8')) as { cases: ({ text: string } & Record<Way, number[]>)[] };
  const texts = cases.map(({ text }) => text);
  for (const way of ['default', 'mean', 'cls', 'max'] as const) {
    const { dims, data } = await extract(texts, way === 'default' ? {} : { pooling: way, normalize: false });
    assert.equal(dims, [texts.length, 384]);
    assertClose(data, Float32Array.from(cases.flatMap((one) => one[way])), 2e-5, way);
  }
});

test('reads a long text at once, and in windows', async ({ extract }) => {
  const text = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
  const { result: whole, read } = await extract.withReport(text);
  assert.equal(read, [{ index: 0, tokens: read[0]!.tokens, windows: 1, complete: true }]);
  const { result: windows, read: [report] } = await extract.withReport(text, { overflow: 'window', maxTokens: 512 });
  assert.ok(report!.windows > 4 && report!.tokens === read[0]!.tokens);
  const cosine = whole.data.reduce((sum, x, i) => sum + x * windows.data[i]!, 0) / Math.hypot(...windows.data);
  assert.ok(cosine > 0.97 && cosine < 0.9999, `cosine ${cosine}`);
});

suiteOfThese.run();
