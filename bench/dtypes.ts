// A whole pass with weights kept in each dtype: all-MiniLM-L6-v2 as a Longformer, one thread, the
// dtypes in turn. Verified by the cosines of hidden states with those of single precision.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertToLongformer, createEngine, LongformerModel, Tokenizer, type Tensor } from '../dist/index.js';
import { weightsInPlace } from '../scripts/weights.mjs';
import { inTurn, Report } from './measure.ts';

const DTYPES = ['f32', 'f16', 'int8'] as const;
const LENGTHS = [64, 512, 4096];

const weights = weightsInPlace();
if (weights === null) {
  console.log('all-MiniLM-L6-v2 is not there: npm run demo fetches it');
} else {
  const root = await mkdtemp(join(tmpdir(), 'dtypes-'));
  try {
    await measure(weights, join(root, 'model'));
  } finally {
    await rm(root, { recursive: true });
  }
}

async function measure(source: string, checkpoint: string): Promise<void> {
  await convertToLongformer(source, checkpoint, { maxPositions: 8192, attentionWindow: 128 });
  await using engine = await createEngine({ threads: 1 });
  const report = new Report('dtypes', engine.info.build);
  const models = await Promise.all(DTYPES.map((dtype) => LongformerModel.fromPretrained(checkpoint, { engine, dtype })));
  const text = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
  const { inputIds } = (await Tokenizer.fromPretrained(checkpoint)).encode(text.repeat(3));
  for (const tokens of LENGTHS) {
    const sequence = { inputIds: inputIds.slice(0, tokens), globalTokens: [0] };
    const states: Tensor[] = [];
    for (const model of models) states.push((await model.forward(sequence)).lastHiddenState);
    const works = DTYPES.map((dtype, i) => [dtype, () => models[i]!.forward(sequence)] as const);
    const times = await inTurn(Object.fromEntries(works) as Record<(typeof DTYPES)[number], () => unknown>);
    for (const [i, dtype] of DTYPES.entries()) {
      const least = leastCosine(states[i]!, states[0]!);
      if (!(least > 0.9)) throw new Error(`${dtype} must be near f32, has a cosine of ${least}`);
      const { best, median } = times[dtype];
      report.add({
        what: 'dtype', dtype, tokens, 'best ms': best, 'median ms': median, 'µs per token': (best * 1e3) / tokens,
        'of f32': best / times.f32.best, 'weight bytes': models[i]!.plan({ tokens }).weightBytes, 'least cosine': least,
      });
    }
  }
  await report.keep();
}

function leastCosine(a: Tensor, b: Tensor): number {
  const [rows, cols] = a.dims as [number, number];
  const product = (x: Tensor, y: Tensor, row: number): number => {
    let sum = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) sum += x.data[i]! * y.data[i]!;
    return sum;
  };
  return Math.min(...Array.from({ length: rows }, (_, row) => product(a, b, row) / Math.sqrt(product(a, a, row) * product(b, b, row))));
}
