// Starts an engine: the build that fits, in the workers that there are.

import { LongformerError } from '../errors.ts';
import { runtimeName } from '../platform/runtime.ts';
import { chooseBuild, sharesMemory, type Build } from './builds.ts';
import { startHere, startWorkers } from './crew.ts';
import { Engine } from './engine.ts';
import { compileModule } from './module.ts';
import { checkEngineOptions, type EngineOptions, type EngineSettings } from './options.ts';
import { askForFusedVectors, withdrawFusedVectors } from './wide.ts';

/**
 * Starts an engine: one WebAssembly instance in a worker of its own, and its pool of threads.
 *
 * Rejects with `BAD_INPUT` for options that cannot be met here, `NOT_FOUND` where the builds are not
 * in place, `DOWNLOAD` where they cannot be fetched, `OUT_OF_MEMORY` where the runtime refuses the
 * memory, `ENGINE_DEAD` where a worker cannot be started.
 *
 * @example
 * ```js
 * import { createEngine, pipeline } from 'longformer-wasm';
 *
 * const engine = await createEngine({ threads: 1 });
 * console.log(engine.info.threads, engine.info.reason.length > 0); // => 1, true
 * const tag = await pipeline('token-classification', 'models/tagger', { engine }); // both in one memory
 * const answer = await pipeline('question-answering', 'models/reader', { engine });
 * await engine.dispose();
 * ```
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const settings = checkEngineOptions(options);
  try {
    return await start(settings, settings.worker ? null : whyHere(options));
  } catch (error) {
    const isRefused = error instanceof LongformerError && error.code === 'OUT_OF_MEMORY' && settings.maxMemoryBytes === null;
    if (!isRefused || !settings.worker || settings.threads === 1 || !sharesMemory()) throw error;
    return start(settings, 'shared memory is refused: one thread'); // the memory of one thread reserves nothing
  }
}

function whyHere({ worker }: EngineOptions): string {
  return worker === false ? 'one thread: it runs in the calling one' : 'this runtime starts no workers: one thread, the calling one';
}

async function start(settings: EngineSettings, oneThread: string | null): Promise<Engine> {
  const { simd, wasm, threads, signal } = settings;
  signal?.throwIfAborted();
  const { build, reason } = chooseBuild({ simd, threads, wasm, oneThread });
  if (simd !== 'wide') return startBuild(settings, build, reason, false);
  const whyNot = build.simd === 'relaxed' ? askForFusedVectors() : 'it takes relaxed SIMD';
  if (whyNot !== null) return startBuild(settings, build, `${reason}; not wide: ${whyNot}`, false);
  let relies = false;
  try {
    const engine = await startBuild(settings, build, reason, true);
    relies = engine.info.simd === 'wide';
    return engine;
  } finally {
    if (!relies) withdrawFusedVectors();
  }
}

async function startBuild(settings: EngineSettings, build: Build, reason: string, triesWide: boolean): Promise<Engine> {
  const { workerUrl, worker, maxMemoryBytes, signal } = settings;
  const module = build.wasm instanceof URL ? await compileModule(build.wasm, signal) : build.wasm;
  signal?.throwIfAborted();

  const threads = build.threads ? settings.threads : 1;
  const control = worker && sharesMemory() ? new Int32Array(new SharedArrayBuffer(8)) : null;
  const crew = { module, threads, maxMemoryBytes, triesWide, control };
  const engine = new Engine(
    { runtime: runtimeName(), build: build.name, simd: build.simd, threads, reason },
    control,
    (events) => worker ? startWorkers(crew, workerUrl, events) : startHere(crew, events),
  );
  const abort = (): void => void engine.dispose();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await engine.started;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return engine;
}
