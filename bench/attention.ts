// Attention by itself: verified, then timed inside the engine, softmax included, and through the public
// interface. Over the window against the rate that the same build reaches in matrix products as deep and as
// long, of 48 rows, in turn with it; over dilations; over the length.

import { createEngine } from '../dist/index.js';
import { assertClose } from '../test/close.ts';
import { definition, vectors } from '../test/definition.ts';
import { line, spread } from './fit.ts';
import { attention, build, HEAD_DIM, HEADS, HIDDEN_SIZE, holding, instance, random } from './kernel.ts';
import { inTurn, LONG, Report, time, type Time } from './measure.ts';

const QUERIES = 48; // rows of the products that attention is measured against
const WINDOWS = [64, 128, 256, 512, 1024, 2048];
const LENGTHS = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];
const UNDILATED = Array<number>(HEADS).fill(1);

const report = new Report('attention', build.name);
const ms = ({ best, median }: Time): { 'best ms': number; 'median ms': number } => ({ 'best ms': best, 'median ms': median });

await verify();
await windows(16384);
await dilations(8192);
await lengths();
await report.keep();

async function verify(): Promise<void> {
  const { wasm } = await instance();
  const [seqLen, oneSidedWindow, globals] = [300, 30, [0, 100]];
  const perHead = UNDILATED.map((_, head) => 1 + (head % 3));
  const input = vectors(seqLen, HEADS, HEAD_DIM, 1, false);
  const held = holding(wasm, input.query, input.key, input.value);
  const context = new wasm.Context();
  attention(wasm, { vectors: held, context, seqLen, oneSidedWindow, dilations: perHead, globals });
  const expected = definition(input, { oneSidedWindow, dilation: perHead, causal: false, globalTokens: globals, masked: [] });
  const actual = new Float32Array(expected.length);
  context.copyTo(0, actual);
  assertClose(actual, expected, 4e-6, 'attention');
}

/** Keys that the queries of a sequence see, in one head. */
function visiblePairs(seqLen: number, oneSidedWindow: number, dilation: number): number {
  let pairs = 0;
  for (let i = 0; i < seqLen; i++) {
    pairs += 1 + Math.min(oneSidedWindow, Math.floor(i / dilation)) + Math.min(oneSidedWindow, Math.floor((seqLen - 1 - i) / dilation));
  }
  return pairs;
}

/** `seqLen`: far above the windows, as the ends of a text see half of one. */
async function windows(seqLen: number): Promise<void> {
  const { wasm } = await instance();
  const held = holding(wasm, random(seqLen, 1), random(seqLen, 2), random(seqLen, 3));
  const context = new wasm.Context();
  const times = new Map<number, number>();
  const perPair = new Map<number, number>();
  for (const window of WINDOWS) {
    const oneSidedWindow = window / 2;
    const pairs = HEADS * visiblePairs(seqLen, oneSidedWindow, 1);
    // Queries times keys, weights times values, as one writes them down. As many as attention makes of them:
    // the best of short moments would be better than the best of long ones.
    const keys = window + QUERIES;
    const repeats = Math.ceil(pairs / (QUERIES * keys));
    const run = (globals: number[]): void => attention(wasm, { vectors: held, context, seqLen, oneSidedWindow, dilations: UNDILATED, globals });
    const { whole, withGlobal, scores, weighted } = await inTurn({
      scores: () => wasm.product(QUERIES, HEAD_DIM, keys, repeats),
      whole: () => run([]),
      withGlobal: () => run([0]),
      weighted: () => wasm.product(QUERIES, keys, HEAD_DIM, repeats),
    });
    const productRate = (4 * QUERIES * HEAD_DIM * keys * repeats) / (scores.best + weighted.best) / 1e6;
    const rate = (4 * HEAD_DIM * pairs) / whole.best / 1e6;
    times.set(window, whole.best);
    perPair.set(window, (whole.best * 1e6) / pairs);
    report.add({
      what: 'window', window, tokens: seqLen, ...ms(whole), 'ns per key seen': perPair.get(window)!,
      'GFLOP/s': rate, 'product GFLOP/s': productRate, 'of the product %': (100 * rate) / productRate,
      'a global token costs %': 100 * (withGlobal.best / whole.best - 1),
    });
  }
  const { a, b, deviation } = line([...times]);
  report.add({ what: 'line', from: WINDOWS[0]!, to: WINDOWS.at(-1)!, tokens: seqLen, 'a ms': a, 'b ms per key': b, 'largest deviation %': deviation });
  const [from, to] = [512, 2048];
  const within = WINDOWS.filter((window) => window >= from && window <= to);
  report.add({
    what: 'proportional', from, to, tokens: seqLen,
    'time per window, spread %': spread(within.map((window) => times.get(window)! / window)),
    'time per key seen, spread %': spread(within.map((window) => perPair.get(window)!)), // without the ends of the text
  });
}

async function dilations(seqLen: number): Promise<void> {
  const { wasm } = await instance();
  const held = holding(wasm, random(seqLen, 1), random(seqLen, 2), random(seqLen, 3));
  const context = new wasm.Context();
  const uniform = [1, 2, 4];
  const perHead = UNDILATED.map((_, head) => uniform[head % uniform.length]!);
  const dilated = new Map(uniform.map((dilation) => [String(dilation), UNDILATED.map(() => dilation)]));
  dilated.set('1, 2, 4 by head', perHead);
  const works = [...dilated].map(([name, dilations]) =>
    [name, () => attention(wasm, { vectors: held, context, seqLen, oneSidedWindow: 256, dilations, globals: [0] })]);
  const times = await inTurn(Object.fromEntries(works) as Record<string, () => void>);
  for (const [name, list] of dilated) {
    const pairs = list.reduce((sum, dilation) => sum + visiblePairs(seqLen, 256, dilation), 0);
    report.add({ what: 'dilation', dilation: name, window: 512, tokens: seqLen, ...ms(times[name]!), 'ns per key seen': (times[name]!.best * 1e6) / pairs });
  }
  const best = uniform.map((dilation) => times[dilation]!.best);
  const mean = best.reduce((sum, each) => sum + each, 0) / best.length;
  report.add({
    what: 'dilation cost', 'uniform over none %': 100 * (Math.max(...best) / best[0]! - 1),
    'by head over uniform %': 100 * (times['1, 2, 4 by head']!.best / mean - 1), // over what its heads take
  });
}

async function lengths(): Promise<void> {
  const oneSidedWindow = 256;
  const long: { tokens: number; perToken: number; memory: number; surplus: number }[] = [];
  for (const seqLen of LENGTHS) {
    const rounds = seqLen > 20_000 ? LONG : {};
    const [query, key, value] = [random(seqLen, 1), random(seqLen, 2), random(seqLen, 3)];
    const { wasm, memory } = await instance();
    const held = holding(wasm, query, key, value);
    const context = new wasm.Context();
    const inside = await time(() => attention(wasm, { vectors: held, context, seqLen, oneSidedWindow, dilations: UNDILATED, globals: [0] }), rounds);
    const bytes = memory.buffer.byteLength;
    // Queries, keys, values and contexts: what must be there. Without a dilation nothing is packed.
    const of = bytes / (4 * seqLen * 4 * HIDDEN_SIZE);
    report.add({ what: 'length', tokens: seqLen, window: 512, ...ms(inside), 'µs per token': (inside.best * 1e3) / seqLen, 'memory bytes': bytes, 'of what must be there': of });

    const input = { query, key, value, seqLen, numHeads: HEADS, headDim: HEAD_DIM, oneSidedWindow, globalTokens: [0], transfer: false };
    for (const threads of [1, undefined]) {
      const engine = await createEngine(threads === undefined ? {} : { threads });
      if (threads === undefined && engine.info.threads === 1) { // measured already
        await engine.dispose();
        continue;
      }
      const taken = await time(() => engine.attention(input), rounds);
      report.add({ what: 'public', tokens: seqLen, window: 512, threads: engine.info.threads, ...ms(taken), 'µs per token': (taken.best * 1e3) / seqLen, 'memory bytes': engine.info.memoryBytes });
      await engine.dispose();
      if (threads === 1 && seqLen >= 4096) long.push({ tokens: seqLen, perToken: (inside.best * 1e3) / seqLen, memory: of, surplus: 100 * (taken.best / inside.best - 1) });
    }
  }
  report.add({
    what: 'flat', from: long[0]!.tokens, to: long.at(-1)!.tokens, window: 512,
    'time per token, spread %': spread(long.map(({ perToken }) => perToken)),
    'memory above what must be there %': 100 * (Math.max(...long.map(({ memory }) => memory)) - 1),
    'public interface over inside, most %': Math.max(...long.map(({ surplus }) => surplus)),
  });
}
