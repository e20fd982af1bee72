// What an engine can be asked for, and what was, with nothing left out.

import { checkBoolean, checkCallOptions, checkChoice, type Names } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import { availableCores } from '../platform/runtime.ts';
import { startsWorkers } from '../platform/thread.ts';
import { quoted } from '../quoted.ts';
import { SIMD_WISHES, type SimdWish } from './builds.ts';
import { MOST_MEMORY } from './memory.ts';

export interface EngineOptions {
  /** Threads that compute. Default: all cores up to four, half of them beyond, 16 at most. */
  threads?: number;
  /**
   * Instructions to use. Default `auto`: the best there are. `wide`, an experiment, has Node 24 and newer
   * compute with 256 bits, by a flag of V8 that holds for the whole process and what it compiles from then
   * on; `info.simd` says whether it does, and elsewhere it is `auto`.
   */
  simd?: SimdWish;
  /**
   * The folder that holds the builds, as `pkg/` of this package does, or the module of one, where
   * modules cannot be compiled at run time. Default: the package's own.
   */
  wasm?: URL | WebAssembly.Module;
  /** The file that workers begin with, `longformer-wasm/worker`. Default: the package's own. */
  workerUrl?: URL;
  /**
   * False: the engine runs in the calling thread, with one thread. Default: true where workers can
   * be started; service workers, extensions' among them, and isolates cannot.
   */
  worker?: boolean;
  /** Limit of the engine's memory in bytes. Default: 4 GiB, which is the most, or what the runtime grants. */
  maxMemoryBytes?: number;
  signal?: AbortSignal;
}

const ENGINE_OPTIONS: Names<EngineOptions> = {
  threads: true, simd: true, wasm: true, workerUrl: true, worker: true, maxMemoryBytes: true, signal: true,
};

/** Checked, with defaults. */
export interface EngineSettings {
  threads: number;
  simd: SimdWish;
  wasm: URL | WebAssembly.Module | undefined;
  workerUrl: URL | undefined;
  worker: boolean;
  maxMemoryBytes: number | null;
  signal: AbortSignal | undefined;
}

/** Throws `BAD_INPUT`. */
export function checkEngineOptions(options: EngineOptions): EngineSettings {
  checkCallOptions('createEngine', options, ENGINE_OPTIONS);
  const { threads = defaultThreads(), simd = 'auto', wasm, workerUrl, worker = startsWorkers(), maxMemoryBytes, signal } = options;
  if (wasm !== undefined && !(wasm instanceof URL || wasm instanceof WebAssembly.Module)) throw refusal('wasm', 'a URL or a module', wasm);
  if (workerUrl !== undefined && !(workerUrl instanceof URL)) throw refusal('workerUrl', 'a URL', workerUrl);
  if (!Number.isInteger(threads) || threads < 1 || threads > 256) throw refusal('threads', 'an integer between 1 and 256', threads);
  if (maxMemoryBytes !== undefined && !(maxMemoryBytes >= 2 ** 24 && maxMemoryBytes <= MOST_MEMORY)) {
    throw refusal('maxMemoryBytes', 'between 16 MiB and 4 GiB', maxMemoryBytes);
  }
  checkChoice(simd, 'simd', SIMD_WISHES);
  checkBoolean(worker, 'worker');
  if (worker && !startsWorkers()) throw new LongformerError('BAD_INPUT', 'worker', 'must be false here: this runtime starts no workers');
  return { threads, simd, wasm, workerUrl, worker, maxMemoryBytes: maxMemoryBytes ?? null, signal };
}

function refusal(name: string, rule: string, value: unknown): LongformerError {
  return new LongformerError('BAD_INPUT', name, `must be ${rule}, got ${quoted(value)}`);
}

function defaultThreads(): number {
  // Beyond four, half of what the system calls cores are usually the second threads of the others.
  const cores = availableCores();
  return Math.min(16, cores > 4 ? Math.floor(cores / 2) : cores);
}
