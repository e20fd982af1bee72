// A whole model beside what one would take instead: onnxruntime-web with a dense RoBERTa of the same
// shape, Hugging Face's Longformer and RoBERTa in PyTorch, onnxruntime's native program. Each in a process
// of its own, in turn, on the same number of threads. `model.ts [base|minilm] [quick] [tokens ...]
// [ours|wide|web|longformer|roberta|native ...]`: results of other shapes, lengths and peers stay as they are, so that it can
// be run part by part.
//
// `PYTHON=path/to/python`, with torch, transformers, onnx and onnxruntime, makes the peers' models and
// runs PyTorch; without it there is nothing to compare with, and that is said.

import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine, LongformerModel } from '../dist/index.js';
import { ceilings } from './ceiling.ts';
import { modelsOf, peersFile } from './checkpoints.ts';
import { reasonOf } from './failure.ts';
import { Report, summaryOf, type Time } from './measure.ts';
import { Peer, PeerFailure, type Answer, type Ready } from './peer.ts';
import { idsOf, SHAPES, type ShapeName } from './shapes.ts';
import { ratios } from './targets.ts';

const LENGTHS = [16, 128, 512, 1024, 2048, 4096, 8192, 16_384];
const QUICK = [16, 512, 4096];

/** Rounds of one peer at one length: as many as fit this time. */
const BUDGET_MS = 12_000;
const MOST_ROUNDS = 7;
/** A first pass, in which memory grows and code is compiled, is a round only if it takes as long as this. */
const LONG_MS = 10_000;
const LIMIT_MS = 300_000;

const VERIFIED_TOKENS = 600;

/** What `simd: 'wide'` needs. */
const FUSES = parseInt(process.versions.node) >= 24;

const words = process.argv.slice(2);
const shapes = (Object.keys(SHAPES) as ShapeName[]).filter((name) => !words.some((word) => word in SHAPES) || words.includes(name));
const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number);
const lengths = words.includes('quick') ? QUICK : numbers.length > 0 ? numbers.sort((a, b) => a - b) : LENGTHS;
const KINDS = ['ours', 'wide', 'web', 'longformer', 'roberta', 'native'] as const;
const kinds = words.some((word) => KINDS.includes(word as Kind)) ? KINDS.filter((kind) => words.includes(kind)) : KINDS;
const known = [...Object.keys(SHAPES), 'quick', ...KINDS];
const unknown = words.find((word) => !known.includes(word) && !/^\d+$/.test(word));
if (unknown !== undefined) throw new Error(`the bench "model" takes ${known.join(', ')}, or numbers of tokens, not "${unknown}"`);

const python = process.env['PYTHON'];
const tsNode = new URL('../scripts/ts-node.mjs', import.meta.url).href;
const engine = await createEngine(process.env['THREADS'] ? { threads: Number(process.env['THREADS']) } : {});
const { threads, build } = engine.info;
await engine.dispose();
const report = new Report('model', build);
for (const shape of shapes) await measure(shape);

type Kind = (typeof KINDS)[number];

function kindOf(peer: string): Kind {
  return peer.endsWith('wide') ? 'wide' : peer.startsWith('ours') ? 'ours' : peer === 'HF Longformer' ? 'longformer' : peer === 'HF RoBERTa' ? 'roberta' : peer.startsWith('onnxruntime-web') ? 'web' : 'native';
}

/** What runs, and how it came to be there. */
interface Entry {
  name: string;
  peer: Peer;
  ready: Ready;
}

async function measure(shape: ShapeName): Promise<void> {
  const folder = await modelsOf(shape, python);
  const entries: Entry[] = [];
  try {
    for (const dtype of kinds.includes('ours') ? ['f32', 'f16', 'int8'] : []) {
      await start(entries, shape, `ours ${dtype}`, process.execPath, ['--import', tsNode, program('peer-ours.ts'), folder, dtype, String(threads)]);
    }
    for (const dtype of kinds.includes('wide') && FUSES ? ['f32', 'int8'] : []) {
      await start(entries, shape, `ours ${dtype} wide`, process.execPath, ['--import', tsNode, program('peer-ours.ts'), folder, dtype, String(threads), 'wide']);
    }
    for (const [name, command, args] of peersOf(folder)) {
      if (kinds.includes(kindOf(name))) await start(entries, shape, name, command, args);
    }
    await verify(entries, folder);
    for (const tokens of lengths) {
      await timeAll(shape, entries, tokens);
      await report.keep(({ shape, peer, tokens, threads }) => [shape, peer, tokens, threads].join());
    }
  } finally {
    await Promise.all(entries.map(({ peer }) => peer.end()));
  }
}

/** The peers' names and commands. */
function peersOf(folder: string): [name: string, program: string, args: string[]][] {
  if (python === undefined) {
    console.log('  onnxruntime-web, onnxruntime and PyTorch are skipped: PYTHON=path/to/python names one that has torch, transformers, onnx and onnxruntime');
    return [];
  }
  const dense = join(folder, 'roberta');
  const ofPython = (peer: string, at: string): [string, string[]] => [python, [peersFile, 'serve', peer, at, String(threads)]];
  const ofWeb = (file: string): [string, string[]] => [process.execPath, ['--import', tsNode, program('peer-ort-web.ts'), join(dense, file), String(threads)]];
  return [
    ['onnxruntime-web f32', ...ofWeb('f32.onnx')],
    ['onnxruntime-web q8', ...ofWeb('q8.onnx')],
    ['HF Longformer', ...ofPython('longformer', folder)],
    ['HF RoBERTa', ...ofPython('roberta', dense)],
    ['onnxruntime fused', ...ofPython('onnxruntime fused', dense)],
  ];
}

function program(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

async function start(entries: Entry[], shape: ShapeName, name: string, command: string, args: string[]): Promise<void> {
  const peer = new Peer(command, args, LIMIT_MS);
  try {
    const ready = await peer.ready();
    await peer.settle();
    const { ready: _, ...facts } = ready as Ready & { ready?: true };
    entries.push({ name, peer, ready });
    report.add({ what: 'loaded', shape, peer: name, threads, ...facts, 'idle bytes': peer.idleBytes });
  } catch (error) {
    await peer.end();
    fail(shape, name, error);
  }
}

function fail(shape: ShapeName, peer: string, error: unknown, tokens?: number): void {
  if (!(error instanceof PeerFailure)) throw error;
  report.add({ what: 'failed', shape, peer, ...(tokens !== undefined && { tokens }), threads, why: reasonOf(error.message, error.message.startsWith('took more')), message: error.message });
}

/** Ours against Hugging Face's Longformer, the dense ones against its RoBERTa; without them against one thread of another build. */
async function verify(entries: readonly Entry[], folder: string): Promise<void> {
  const states = new Map<string, Float32Array>();
  for (const { name, peer } of entries) {
    const file = join(tmpdir(), `states-${process.pid}.f32`);
    await peer.run(VERIFIED_TOKENS, file);
    states.set(name, new Float32Array((await readFile(file)).buffer as ArrayBuffer));
    await rm(file);
  }
  const ours = states.get('HF Longformer') ?? (kinds.includes('ours') || kinds.includes('wide') ? await oneThread(folder) : undefined);
  const dense = states.get('HF RoBERTa') ?? states.get('onnxruntime-web f32');
  for (const [name, found] of states) {
    const expected = name.startsWith('ours') ? ours : name.startsWith('onnxruntime') ? dense : undefined;
    if (expected === undefined) continue;
    const few = /int8|q8|f16/.test(name);
    const off = few ? 1 - cosine(found, expected) : largestDifference(found, expected);
    const most = few ? 0.02 : 1e-3;
    if (!(off <= most) || found.length !== expected.length) throw new Error(`${name} must be right before it is timed: ${few ? '1 - cosine' : 'the largest difference'} is ${off}`);
    console.log(`  ${name}: ${few ? '1 - cosine' : 'largest difference'} ${off.toExponential(1)}`);
  }
}

async function oneThread(folder: string): Promise<Float32Array> {
  await using engine = await createEngine({ threads: 1, simd: 'simd128' });
  const model = await LongformerModel.fromPretrained(folder, { engine });
  return (await model.forward({ inputIds: idsOf(VERIFIED_TOKENS), globalTokens: [0] })).lastHiddenState.data;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const product = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

/** Passes over one length, in turn; who fails is not asked for longer ones. */
async function timeAll(shape: ShapeName, entries: Entry[], tokens: number): Promise<void> {
  const { registers: ceiling } = await ceilings();
  const running = new Map<Entry, { passes: number[]; last?: Answer }>();
  const pass = async (entry: Entry, first: boolean): Promise<void> => {
    const state = running.get(entry)!;
    try {
      const answer = await entry.peer.run(tokens);
      state.last = answer;
      if (!first || answer.seconds * 1000 >= LONG_MS) state.passes.push(answer.seconds * 1000);
    } catch (error) {
      running.delete(entry);
      entries.splice(entries.indexOf(entry), 1);
      await entry.peer.end();
      fail(shape, entry.name, error, tokens);
    }
  };
  for (const entry of [...entries]) {
    running.set(entry, { passes: [] });
    entry.peer.forgetPeak();
    await pass(entry, true);
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (const [entry, { passes }] of running) if (passes.length < roundsOf(passes)) await pass(entry, false);
  }
  const times: Record<string, Time> = {};
  let flops = 0;
  for (const [{ name, peer, ready }, { passes, last }] of running) {
    const time = times[name] = summaryOf(passes);
    flops ||= last?.flops ?? 0;
    report.add({
      what: 'forward', shape, peer: name, tokens, threads, 'best ms': time.best, 'median ms': time.median, rounds: passes.length, 'tokens/s': (tokens * 1e3) / time.median,
      ...(peer.idleBytes > 0 && { 'over idle bytes': peer.peakBytes - peer.idleBytes, 'process bytes': peer.peakBytes }),
      ...(last?.memoryBytes !== undefined && { 'memory bytes': last.memoryBytes }),
      ...(ready.weightBytes !== undefined && { 'over weights bytes': last!.memoryBytes! - ready.weightBytes }),
      runtime: ready.runtime, build: ready.build,
    });
  }
  if (flops === 0) return;
  report.add({
    what: 'ceiling', shape, tokens, threads, GFLOP: flops / 1e9, 'GFLOP/s of a thread': ceiling, 'C ms': flops / (threads * ceiling * 1e6),
    ...Object.fromEntries(Object.entries(times).filter(([name]) => name.startsWith('ours')).map(([name, { median }]) => [`${name} / C`, median / (flops / (threads * ceiling * 1e6))])),
  });
  for (const { what, shape: _shape, tokens: _tokens, of, to, ...figures } of ratios(report.cpu, shape, tokens, times)) console.log(`  ${what}: ${of}${to ? ` to ${to}` : ''}`, JSON.stringify(figures));
}

/** How many rounds there shall be, by those that there are: three where a pass is short, one where it is long. */
function roundsOf(passes: readonly number[]): number {
  const best = Math.min(...passes);
  return passes.length === 0 ? 1 : Math.min(MOST_ROUNDS, Math.max(best < 6000 ? 3 : best < 20_000 ? 2 : 1, Math.floor(BUDGET_MS / best)));
}
