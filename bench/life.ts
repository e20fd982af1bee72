// The life of an engine: how soon it is ready, how soon an abort is heard, what disposing of it gives
// back, how soon a process ends. `RUNTIMES=path/to/deno,path/to/bun` measures memory and exit there, too.

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine, LongformerModel, type Engine, type EngineOptions } from '../dist/index.js';
import { writeRandom } from '../test/random-checkpoint.ts';
import { Report, type Line } from './measure.ts';

/** longformer-base with one layer: an abort is heard between blocks of rows, whatever the number of layers. */
const BASE = {
  vocab_size: 1000, hidden_size: 768, num_hidden_layers: 1, num_attention_heads: 12, intermediate_size: 3072, attention_window: 512,
  max_position_embeddings: 16_386,
};

/** Some 90 MB of weights. */
const CYCLED = { ...BASE, vocab_size: 30_000, hidden_size: 384, num_hidden_layers: 6, intermediate_size: 1536, max_position_embeddings: 4098 };

const LENGTHS = [4096, 16_384];
const STARTS = 15;
const ABORTS = 20;
const CYCLES = 50;
const SETTLED = 5;

const runtime = `node ${process.versions.node}`;
const cpu = cpus()[0]!.model.trim();
const ids = (length: number): Uint32Array => Uint32Array.from({ length }, (_, i) => 3 + (i * i * 7 + i) % 990);

/** How an abort reaches what computes. */
const KINDS: Record<string, () => Promise<Engine>> = {
  'a flag, all threads': () => createEngine(),
  'a flag, one thread': () => createEngine({ threads: 1 }),
  'messages to a worker': () => unshared({}),
  'messages in one thread': () => createEngine({ worker: false }),
};

const report = new Report('life', 'each that there is');
const add = (engineOrRuntime: Engine | string, line: Line): void => report.add(typeof engineOrRuntime === 'string'
  ? { ...line, runtime: engineOrRuntime, cpu }
  : { ...line, runtime, cpu, build: engineOrRuntime.info.build, threads: engineOrRuntime.info.threads });

const root = await mkdtemp(join(tmpdir(), 'life-'));
try {
  await starts();
  await aborts();
  await cycles();
  await report.keep();
} finally {
  await rm(root, { recursive: true });
}

/** An engine as in a page that is not cross-origin isolated: without shared memory. */
async function unshared(options: EngineOptions): Promise<Engine> {
  const scope = globalThis as { crossOriginIsolated?: boolean };
  scope.crossOriginIsolated = false;
  try {
    return await createEngine(options);
  } finally {
    delete scope.crossOriginIsolated;
  }
}

function summary(values: number[]): { 'median ms': number; 'worst ms': number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { 'median ms': sorted[sorted.length >> 1]!, 'worst ms': sorted.at(-1)! };
}

async function starts(): Promise<void> {
  for (const threads of [undefined, 1]) {
    const times: number[] = [];
    let engine: Engine;
    for (let i = 0; i < STARTS; i++) {
      const start = performance.now();
      engine = await createEngine(threads === undefined ? {} : { threads });
      times.push(performance.now() - start);
      await engine.dispose();
    }
    add(engine!, { what: 'ready', ...summary(times) });
  }
}

/** Aborts spread evenly over a pass, each timed from when it was due to the rejection. */
async function aborts(): Promise<void> {
  const folder = join(root, 'base');
  await mkdir(folder);
  await writeRandom(folder, BASE);
  for (const [kind, start] of Object.entries(KINDS)) {
    const engine = await start();
    const model = await LongformerModel.fromPretrained(folder, { engine });
    const short = { inputIds: ids(300), globalTokens: [0] };
    const before = (await model.forward(short)).lastHiddenState.data;
    for (const tokens of LENGTHS) {
      const text = { inputIds: ids(tokens), globalTokens: [0] };
      const begun = performance.now();
      await model.forward(text);
      const whole = performance.now() - begun;
      const times: number[] = [];
      for (let i = 0; i < ABORTS; i++) {
        const controller = new AbortController();
        const call = model.forward(text, { signal: controller.signal });
        const due = performance.now() + ((i + 0.5) / ABORTS) * 0.95 * whole;
        setTimeout(() => controller.abort(), due - performance.now());
        const ended = await call.then(() => 'done', () => 'aborted');
        if (ended === 'aborted') times.push(performance.now() - due);
      }
      const after = (await model.forward(short)).lastHiddenState.data;
      if (!after.every((x, j) => x === before[j])) throw new Error('an aborted pass must leave the engine as it was');
      add(engine, { what: 'abort', by: kind, tokens, aborts: times.length, ...summary(times), 'whole pass ms': whole });
    }
    await model.dispose();
    await engine.dispose();
  }
}

/** Resident memory over cycles of load, run and dispose, and how long the process takes to end by itself. */
async function cycles(): Promise<void> {
  const folder = join(root, 'cycled');
  await mkdir(folder);
  await writeRandom(folder, CYCLED);
  const others = (process.env['RUNTIMES'] ?? '').split(',').filter((path) => path !== '');
  for (const program of [process.execPath, ...others]) {
    const { lines, exitMs } = await child(program, folder);
    const { runtime, build, threads, resident } = JSON.parse(lines) as { runtime: string; build: string; threads: number; resident: number[] };
    const [first, last] = [resident[0]!, resident.at(-1)!];
    // The first cycles fill heaps and caches of code, which stay: what is left behind shows in those that follow.
    const settled = resident[SETTLED - 1]!;
    add(runtime, {
      what: 'memory', build, threads, cycles: CYCLES, 'after 1 MB': first, [`after ${SETTLED} MB`]: settled, [`after ${CYCLES} MB`]: last,
      'grown MB': last - first, [`grown from ${SETTLED} on MB`]: last - settled, 'most MB': Math.max(...resident), resident: resident.map((size) => Math.round(size)).join(' '),
    });
    add(runtime, { what: 'exit', build, threads, 'after the last line ms': exitMs });
  }
}

function child(program: string, folder: string): Promise<{ lines: string; exitMs: number }> {
  const script = fileURLToPath(new URL('life-cycles.mjs', import.meta.url));
  const run = basename(program).startsWith('deno') ? ['run', '--allow-all', script] : [script];
  return new Promise((resolve, reject) => {
    const process_ = spawn(program, [...run, folder, String(CYCLES)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let lines = '';
    let said = 0;
    process_.stdout.on('data', (data: Buffer) => {
      lines += data.toString();
      said = performance.now();
    });
    process_.on('error', reject);
    process_.on('exit', (code) => {
      if (code === 0) resolve({ lines, exitMs: performance.now() - said });
      else reject(new Error(`${program} ended with code ${code}`));
    });
  });
}
