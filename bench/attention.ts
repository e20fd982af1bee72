// Attention by itself: verified, then timed inside the engine, softmax and packing included, against
// the rate that the same build reaches in matrix products of the same shapes, in the same run.
//
//     npm run bench            one thread, in this one, so that nothing but the kernel is timed

import { readFile } from 'node:fs/promises';
import { assertClose } from '../test/close.ts';
import { definition, generator, vectors } from '../test/definition.ts';
import { chooseBuild, type Wasm } from '../dist/engine/builds.js';
import { keep, machine, time, type Time } from './measure.ts';

const HEADS = 12;
const HEAD_DIM = 64;
const QUERIES = 24; // that share a block of scores, as in crate/src/attention/banded.rs

const { build } = chooseBuild('auto', 1, new URL('../pkg/', import.meta.url));
const wasm = (await import(build.glue.href)) as Wasm;
const { memory } = wasm.initSync({ module: new WebAssembly.Module(new Uint8Array(await readFile(build.wasm))) });
const on = machine(build.name);
const lines: Record<string, unknown>[] = [];

function attention(input: { vectors: InstanceType<Wasm['Vectors']>; seqLen: number; oneSidedWindow: number; dilations: number[]; globals: number[] }): Float32Array {
  const pattern = new wasm.Pattern(input.oneSidedWindow, Uint32Array.from(input.dilations), false);
  const batch = new wasm.Batch();
  batch.push(input.seqLen, Uint32Array.from(input.globals), new Uint32Array());
  try {
    return input.vectors.attend(input.vectors, batch, pattern, context);
  } finally {
    pattern.free();
    batch.free();
  }
}

/** Keys that the queries of a sequence see, all heads of one dilation together. */
function visiblePairs(seqLen: number, oneSidedWindow: number, dilation: number): number {
  let pairs = 0;
  for (let i = 0; i < seqLen; i++) {
    pairs += 1 + Math.min(oneSidedWindow, Math.floor(i / dilation)) + Math.min(oneSidedWindow, Math.floor((seqLen - 1 - i) / dilation));
  }
  return pairs;
}

function verify(): void {
  const [seqLen, oneSidedWindow, globals] = [300, 30, [0, 100]];
  const dilations = Array.from({ length: HEADS }, (_, head) => 1 + (head % 3));
  const input = vectors(seqLen, HEADS, HEAD_DIM, 1, false);
  const held = new wasm.Vectors(HEADS, HEAD_DIM, input.query, input.key, input.value);
  const actual = attention({ vectors: held, seqLen, oneSidedWindow, dilations, globals });
  held.free();
  const expected = definition(input, { oneSidedWindow, dilation: dilations, causal: false, globalTokens: globals, masked: [] });
  assertClose(actual, expected, 4e-6, 'attention');
}

function random(seqLen: number): InstanceType<Wasm['Vectors']> {
  const next = generator(seqLen);
  const tensor = (): Float32Array => Float32Array.from({ length: seqLen * HEADS * HEAD_DIM }, next);
  return new wasm.Vectors(HEADS, HEAD_DIM, tensor(), tensor(), tensor());
}

/** GFLOP/s of the two products of a block: queries times keys, weights times values. */
async function productRate(oneSidedWindow: number): Promise<number> {
  const keys = 2 * oneSidedWindow + QUERIES;
  const times = Math.ceil(2e9 / (4 * QUERIES * HEAD_DIM * keys));
  const scores = await time(() => wasm.product(QUERIES, HEAD_DIM, keys, times));
  const weighted = await time(() => wasm.product(QUERIES, keys, HEAD_DIM, times));
  return (4 * QUERIES * HEAD_DIM * keys * times) / (scores.best + weighted.best) / 1e6;
}

function report(what: string, line: Record<string, unknown>): void {
  lines.push({ what, ...line });
  console.log(`${what.padEnd(44)} ${Object.entries(line).map(([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`).join('  ')}`);
}

const ms = ({ best, median }: Time): Record<string, number> => ({ 'best ms': best, 'median ms': median });

verify();
console.log(Object.values(on).join(', '), '\n');

const seqLen = 8192;
const held = random(seqLen);
const plain = Array<number>(HEADS).fill(1);
for (const window of [64, 128, 256, 512, 1024, 2048]) {
  const oneSidedWindow = window / 2;
  const product = await productRate(oneSidedWindow);
  const taken = await time(() => attention({ vectors: held, seqLen, oneSidedWindow, dilations: plain, globals: [0] }));
  const rate = (4 * HEADS * HEAD_DIM * visiblePairs(seqLen, oneSidedWindow, 1)) / taken.best / 1e6;
  report(`window ${window}`, { ...ms(taken), 'GFLOP/s': rate, 'product GFLOP/s': product, 'of the product': rate / product });
}
for (const [name, dilations] of [
  ['no dilation', plain], ['dilation 2', plain.map(() => 2)], ['dilation 4', plain.map(() => 4)], ['dilations 1 to 4', plain.map((_, head) => 1 + (head % 4))],
] as const) {
  const oneSidedWindow = 256;
  const taken = await time(() => attention({ vectors: held, seqLen, oneSidedWindow, dilations: [...dilations], globals: [0] }));
  const pairs = dilations.reduce((sum, dilation) => sum + visiblePairs(seqLen, oneSidedWindow, dilation), 0);
  report(`window 512, ${name}`, { ...ms(taken), 'ns per key': (taken.best * 1e6) / pairs });
}
held.free();

for (const length of [4096, 8192, 16384, 32768, 65536, 131072]) {
  const long = random(length);
  const taken = await time(() => attention({ vectors: long, seqLen: length, oneSidedWindow: 256, dilations: plain, globals: [0] }), length < 20_000 ? 5 : 1);
  long.free();
  report(`${length} tokens, window 512`, {
    ...ms(taken), 'µs per token': (taken.best * 1e3) / length,
    'memory MiB': memory.buffer.byteLength / 2 ** 20,
    // Queries, keys, values, packed keys and values, contexts: what must be there.
    'of what must be there': memory.buffer.byteLength / (6 * 4 * length * HEADS * HEAD_DIM),
  });
}

await keep('attention', on, lines);
