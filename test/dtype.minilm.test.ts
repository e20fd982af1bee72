// How much of real weights is left in fewer bits: all-MiniLM-L6-v2 as a Longformer, against itself
// in single precision. Skipped where the weights were not fetched.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertToLongformer, createEngine, LongformerModel, SearchIndex, Tokenizer, type Engine, type Tensor } from 'longformer-wasm';
import { weightsInPlace } from '../scripts/weights.mjs';

const weights = weightsInPlace();

type Dtype = 'f32' | 'f16' | 'int8';

const suiteOfThese = suite<{
  root: string; checkpoint: string; engine: Engine; license: string;
  /** Of single precision: hidden states of each text, and scores of all passages for each question. */
  singles: { states: Float32Array[][]; scores: number[][] };
}>('dtype with all-MiniLM-L6-v2');
const test = weights === null ? suiteOfThese.skip : suiteOfThese;
if (weights === null) console.log('all-MiniLM-L6-v2 is not there: skipped');

suiteOfThese.before(async (context) => {
  if (weights === null) return;
  context.root = await mkdtemp(join(tmpdir(), 'dtype-'));
  context.checkpoint = join(context.root, 'model');
  await convertToLongformer(weights, context.checkpoint, { maxPositions: 8192, attentionWindow: 128 });
  context.engine = await createEngine();
  context.license = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
  context.singles = { states: await statesOf('f32', context), scores: await scoresOf('f32', context) };
});

suiteOfThese.after(async ({ root, engine }) => {
  if (weights === null) return;
  await engine.dispose();
  await rm(root, { recursive: true });
});

interface Subject {
  checkpoint: string;
  engine: Engine;
  license: string;
}

const QUESTIONS = [
  'Who pays if the software causes damage?', 'Can I be sued over patents when I use this?', 'May I use the trademarks?',
  'What must a copy contain?',
];

/** Hidden states, row by row, of the whole text with a global token and of its paragraphs without. */
async function statesOf(dtype: Dtype, { checkpoint, engine, license }: Subject): Promise<Float32Array[][]> {
  const tokenizer = await Tokenizer.fromPretrained(checkpoint);
  const texts = [license, ...license.split(/\n\n+/).filter((text) => text.trim().length > 40)];
  await using model = await LongformerModel.fromPretrained(checkpoint, { engine, dtype });
  const outputs = await model.forward(texts.map((text, i) => ({ inputIds: tokenizer.encode(text).inputIds, globalTokens: i === 0 ? [0] : [] })));
  return outputs.map(({ lastHiddenState }) => rowsOf(lastHiddenState));
}

/** For each question, the scores of all passages in the order of the text. */
async function scoresOf(dtype: Dtype, { checkpoint, engine, license }: Subject): Promise<number[][]> {
  await using index = await SearchIndex.create(checkpoint, { engine, dtype, passages: { maxTokens: 60 } });
  await index.add([{ id: 'LICENSE', text: license }]);
  const scores: number[][] = [];
  for (const question of QUESTIONS) {
    const found = await index.search(question, { topK: 1000 });
    scores.push(found.sort((a, b) => a.start - b.start).map(({ score }) => score));
  }
  return scores;
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

const rowsOf = ({ dims: [rows, cols], data }: Tensor): Float32Array[] =>
  Array.from({ length: rows! }, (_, row) => data.subarray(row * cols!, (row + 1) * cols!));

function meanOf(rows: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(rows[0]!.length);
  for (const row of rows) row.forEach((x, col) => (mean[col]! += x / rows.length));
  return mean;
}

/** The value that this share of the values lies below. */
function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}

/** Spearman's: how much of one list's order is in the other. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] => {
    const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
    const ranks = new Array<number>(values.length);
    order.forEach((index, rank) => (ranks[index] = rank));
    return ranks;
  };
  const [x, y] = [ranks(a), ranks(b)];
  const squares = x.reduce((sum, rank, i) => sum + (rank - y[i]!) ** 2, 0);
  return 1 - (6 * squares) / (a.length * (a.length ** 2 - 1));
}

/** Cosines of a token's hidden states, of a passage's mean vector, and the order of passages for a question. */
const LEAST = {
  f16: { median: 0.9999, percentile1: 0.9999, pooled: 0.9999, order: 0.999 },
  int8: { median: 0.99, percentile1: 0.985, pooled: 0.995, order: 0.98 },
} as const;

for (const dtype of ['f16', 'int8'] as const) {
  test(`${dtype}: hidden states and mean vectors keep their direction`, async (context) => {
    const { singles: { states: singles } } = context;
    const fewer = await statesOf(dtype, context);
    const tokens = singles.flatMap((rows, i) => rows.map((row, j) => cosine(row, fewer[i]![j]!)));
    const pooled = singles.map((rows, i) => cosine(meanOf(rows), meanOf(fewer[i]!)));
    const [median, percentile1, least] = [quantile(tokens, 0.5), quantile(tokens, 0.01), Math.min(...pooled)];
    console.log(`${dtype}: ${tokens.length} tokens, cosine median ${median.toFixed(5)}, 1st percentile ${percentile1.toFixed(5)}; least of ${pooled.length} mean vectors ${least.toFixed(5)}`);
    assert.ok(median >= LEAST[dtype].median, `median ${median}`);
    assert.ok(percentile1 >= LEAST[dtype].percentile1, `1st percentile ${percentile1}`);
    assert.ok(least >= LEAST[dtype].pooled, `mean vectors ${least}`);
  });

  test(`${dtype}: passages come in the same order`, async (context) => {
    const { singles: { scores: singles } } = context;
    const fewer = await scoresOf(dtype, context);
    const correlations = singles.map((scores, i) => rankCorrelation(scores, fewer[i]!));
    console.log(`${dtype}: rank correlation of ${singles[0]!.length} passages ${correlations.map((x) => x.toFixed(4)).join(', ')}`);
    const best = (scores: number[]): number => scores.indexOf(Math.max(...scores));
    for (const [i, question] of QUESTIONS.entries()) {
      assert.ok(correlations[i]! >= LEAST[dtype].order, `${question}: ${correlations[i]}`);
      assert.is(best(fewer[i]!), best(singles[i]!), question);
    }
  });
}

suiteOfThese.run();
