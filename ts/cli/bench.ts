// `longformer-wasm bench`: how fast this machine is, in lines that anyone can post.
//
// Every figure is verified before it is timed: attention against its definition in double precision,
// a model by what must not change its first row: text out of reach of its windows, or a neighbour in
// the batch.

import { cpus } from 'node:os';
import type { AttentionInput } from '../attention.ts';
import { bandsOf, parseConfig, type LongformerConfig } from '../config.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { LongformerModel } from '../longformer-models.ts';
import { nextTurn } from '../platform/turn.ts';
import { largestError } from './attention-check.ts';
import { command, UsageError } from './command.ts';
import { JSON_OPTION, MODEL_OPTIONS, readModel } from './model-options.ts';
import { choice, numbers } from './option.ts';
import { randomModel, SHAPE } from './random-model.ts';
import { withEngine, type Session } from './session.ts';
import { count, printable, stylesFor } from './terminal.ts';

const ATTENTION_TOKENS = [512, 4096, 16384];
const MODEL_TOKENS = [512, 4096];

/** Rounds go on until this is over, but for one at least and these at most. */
const MILLISECONDS = 2000;
const MOST_ROUNDS = 5;

/** Far above any rounding, far below any mistake. */
const TOLERANCE = { attention: 1e-4, model: 1e-3 };

export const bench = command({
  name: 'bench',
  summary: 'times attention and a model on this machine, and verifies them first',
  synopsis: '[options]',
  about: `Attention alone: 12 heads of 64, a window of 512, one global token. The model: yours with --model, else one of longformer-base's shape with random weights, made on the spot. The best of up to ${MOST_ROUNDS} rounds counts. Each line says all that it must be read with: post it.`,
  options: {
    only: choice(['attention', 'model'], 'one of the two', { preset: 'both' }),
    tokens: numbers('N', 'lengths, separated by commas', { preset: `${ATTENTION_TOKENS.join(',')} for attention, ${MODEL_TOKENS.join(',')} for the model` }),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ['bench', 'a minute or two, with the threads that are the default'],
    ['bench --threads 1 --only attention', 'the kernel alone, on one thread'],
    ['bench -m ./minilm-long --dtype int8 --tokens 8192 --json', 'a model of your own, for programs'],
  ],
  operands: 'none',
  async run({ values, signal }) {
    const { only, tokens } = values;
    if (only === 'attention' && values.model !== undefined) throw new UsageError('--model does not go with --only attention');
    const print = (session: Session) => (line: Line): void => session.print(values.json ? `${JSON.stringify(line)}\n` : `${lineOf(line)}\n`);
    await withEngine(values, signal, async (session) => {
      if (only !== 'model') await benchAttention(tokens ?? ATTENTION_TOKENS, session, print(session));
      if (only === 'attention') return;
      const given = values.model === undefined ? null : readModel(values);
      const dtype = values.dtype ?? 'f32';
      const model = await LongformerModel.fromPretrained(given?.model ?? await randomModel(), { ...given?.load, dtype, engine: session.engine, ...session.watched });
      const name = `${given?.model ?? 'base-shaped'} ${dtype}`;
      await benchModel(model, name, tokens ?? MODEL_TOKENS.filter((length) => length <= model.maxTokens), session, print(session));
    });
  },
});

interface Line {
  what: string;
  tokens: number;
  /** Of all rounds. */
  bestMilliseconds: number;
  medianMilliseconds: number;
  rounds: number;
  tokensPerSecond: number;
  /** Of the check before; what it must be below, too. */
  error: number;
  tolerance: number;
  /** Of a model: products per second. */
  gigaflops?: number;
  runtime: string;
  build: string;
  threads: number;
  cpu: string;
  cores: number;
  date: string;
}

async function benchAttention(lengths: readonly number[], { engine, watched: { signal, onProgress } }: Session, print: (line: Line) => void): Promise<void> {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let done = 0;
  for (const seqLen of lengths) {
    onProgress({ stage: 'forward', name: `attention over ${count(seqLen)}`, done, total, unit: 'tokens' });
    const input = await attentionInput(seqLen, signal);
    const run = async (): Promise<Float32Array> => (await engine.attention(await copyOf(input, signal), { signal })).data;
    const error = largestError(input, await run(), [0, 1, seqLen >> 1, seqLen - 1].filter((row, i, all) => row < seqLen && all.indexOf(row) === i));
    verify('attention', error, TOLERANCE.attention);
    print({ what: 'attention', tokens: seqLen, ...await time(run, seqLen, signal), error, tolerance: TOLERANCE.attention, ...machine(engine.info) });
    done += seqLen;
  }
}

async function attentionInput(seqLen: number, signal: AbortSignal): Promise<AttentionInput> {
  const { num_attention_heads: numHeads, hidden_size, attention_window } = SHAPE;
  let state = 1;
  // From some hundred tokens on the numbers come again: nothing depends on them, and they take long.
  const random = (): Promise<Float32Array> => {
    const numbers = Float32Array.from({ length: Math.min(seqLen, 509) * hidden_size }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    });
    return repeated(numbers, seqLen * hidden_size, signal);
  };
  return {
    query: await random(), key: await random(), value: await random(),
    seqLen, numHeads, headDim: hidden_size / numHeads, oneSidedWindow: attention_window / 2, globalTokens: [0],
  };
}

/** The engine makes such copies itself, of a long text for more than a second at a stretch. */
async function copyOf(input: AttentionInput, signal: AbortSignal): Promise<AttentionInput> {
  const copy = (data: Float32Array): Promise<Float32Array> => repeated(data, data.length, signal);
  return { ...input, query: await copy(input.query), key: await copy(input.key), value: await copy(input.value), transfer: true };
}

/** The same numbers over and over, in pieces between which Ctrl-C has its chance. */
async function repeated(numbers: Float32Array, length: number, signal: AbortSignal): Promise<Float32Array> {
  const data = new Float32Array(length);
  for (let at = 0, size: number; at < length; at += size) {
    const from = at % numbers.length;
    size = Math.min(PIECE, numbers.length - from, length - at);
    data.set(numbers.subarray(from, from + size), at);
    await nextTurn();
    signal.throwIfAborted();
  }
  return data;
}

/** Numbers; some milliseconds. */
const PIECE = 2 ** 21;

async function benchModel(model: LongformerModel, name: string, lengths: readonly number[], { engine, watched }: Session, print: (line: Line) => void): Promise<void> {
  const config = parseConfig(model.config, 'config.json');
  const reach = reachOf(config);
  const first = { positions: [0], ...watched };
  for (const tokens of lengths) {
    const inputIds = idsFor(tokens, config);
    const whole = (await model.forward({ inputIds }, first)).lastHiddenState.data;
    const again = tokens > reach + 1 ? await model.forward({ inputIds: inputIds.slice(0, reach + 1) }, first)
      : (await model.forward([{ inputIds }, { inputIds: inputIds.slice(tokens >> 1) }], first))[0]!;
    const error = difference(whole, again.lastHiddenState.data);
    verify(name, error, TOLERANCE.model);
    const times = await time(() => model.forward({ inputIds }, first), tokens, watched.signal);
    const gigaflops = model.plan({ tokens }).flops / times.bestMilliseconds / 1e6;
    print({ what: name, tokens, ...times, gigaflops, error, tolerance: TOLERANCE.model, ...machine(engine.info) });
  }
}

/** The largest; NaN where one is not finite. */
function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0); // Math.max keeps NaN
}

/** Any but padding, which has no position. */
function idsFor(tokens: number, { vocab_size: vocabulary, pad_token_id: pad }: LongformerConfig): Uint32Array {
  return Uint32Array.from({ length: tokens }, (_, i) => (i * 7919) % vocabulary).map((id) => (id === pad ? (id + 1) % vocabulary : id));
}

/** Tokens to the right that the first can know of: a window for each layer. */
function reachOf(config: LongformerConfig): number {
  return bandsOf(config).reduce((sum, { oneSidedWindow, dilations }) => sum + oneSidedWindow * Math.max(...dilations), 0);
}

function verify(what: string, error: number, tolerance: number): void {
  if (!(error <= tolerance)) throw new Error(`${what} must be right before it is timed: it is off by ${error}, more than ${tolerance}`);
}

type Times = Pick<Line, 'bestMilliseconds' | 'medianMilliseconds' | 'rounds' | 'tokensPerSecond'>;

async function time(work: () => Promise<unknown>, tokens: number, signal: AbortSignal): Promise<Times> {
  const times: number[] = [];
  const begin = performance.now();
  while (times.length === 0 || (times.length < MOST_ROUNDS && performance.now() - begin < MILLISECONDS)) {
    signal.throwIfAborted();
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [best] = times as [number];
  return { bestMilliseconds: best, medianMilliseconds: times[times.length >> 1]!, rounds: times.length, tokensPerSecond: tokens / (best / 1000) };
}

function machine({ runtime, build: files, simd, threads }: EngineInfo): Pick<Line, 'runtime' | 'build' | 'threads' | 'cpu' | 'cores' | 'date'> {
  const list = cpus();
  const build = simd === 'wide' ? `${files} (256 bits)` : files;
  return { runtime, build, threads, cpu: list[0]?.model.trim() ?? 'unknown', cores: list.length, date: new Date().toISOString().slice(0, 10) };
}

function lineOf({ what, tokens, bestMilliseconds, tokensPerSecond, error, gigaflops, runtime, build, threads, cpu, cores }: Line): string {
  const { bold, dim } = stylesFor(process.stdout);
  const time = bestMilliseconds < 1000 ? `${Number(bestMilliseconds.toPrecision(3))} ms` : `${Number((bestMilliseconds / 1000).toPrecision(3))} s`;
  const figures = `${printable(what)}  ${count(tokens).padStart(6)} tokens  ${time.padStart(8)}  ${bold(`${count(tokensPerSecond)} tokens/s`)}`;
  return `${figures}${gigaflops === undefined ? '' : `  ${gigaflops.toFixed(1)} GFLOP/s`}  ${dim(`off by ${error === 0 ? '0' : error.toExponential(0)}, ${runtime}, ${build}, ${threads} of ${cores} cores, ${cpu}`)}`;
}
