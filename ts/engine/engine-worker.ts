// The engine's worker: owns the memory, is thread 0 of the pool, answers one call at a time.

import { parentPort, workerData } from 'node:worker_threads';
import { LongformerError, type ErrorCode } from '../errors.ts';
import { openSource } from '../files/open.ts';
import type { OpenFile, Source } from '../files/source.ts';
import type { Progress } from '../progress.ts';
import type { Wasm } from './builds.ts';
import { saysMemoryLacks } from './lack-of-memory.ts';
import {
  buffersOf, fromMessage, toMessage,
  type Answer, type EngineWorkerData, type ErrorMessage, type FileQuestion, type FromEngine, type Request, type ToEngine,
} from './protocol.ts';
import { Aborted, services, type Run } from './services.ts';

/** Bytes of a page of WebAssembly memory. */
const PAGE = 65536;

/** What every build asks for at least, with room to spare. */
const FIRST_PAGES = 64;

/** How soon an abort reaches what waits. */
const ABORT_LOOK_MILLISECONDS = 25;

const { module, glue, threads, maxMemoryBytes, poolPorts, control } = workerData as EngineWorkerData;
const port = parentPort!;
const wasm = (await import(glue)) as Wasm;
const memory = start();
port.on('message', (message: ToEngine) => {
  if (message.type === 'call') void answer(message);
  else receive(message);
});
send({ type: 'ready', memoryBytes: memory.buffer.byteLength });

/** Initialises the build, and the pool where there is one. */
function start(): WebAssembly.Memory {
  const shared = 'startPool' in wasm;
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: Math.floor(maxMemoryBytes / PAGE), shared });
  wasm.initSync({ module, memory });
  wasm.throwPanics();
  if (shared) wasm.startPool(threads);
  for (const port of poolPorts) port.postMessage({ memory });
  return memory;
}

async function answer({ id, service, args }: Request): Promise<void> {
  const run: Run = {
    wasm,
    checkAbort() {
      if (Atomics.load(control, 0) === id) throw new Aborted();
    },
    progress: (progress: Progress) => send({ type: 'progress', id, progress }),
    async open(location) {
      if (location === null) return callerFiles(id);
      const { source, ...options } = location;
      return openSource(source, { ...options, signal: abort.signal, onProgress: run.progress });
    },
  };
  // What waits for a network looks at no flag: it is told.
  const abort = new AbortController();
  const watch = setInterval(() => {
    if (Atomics.load(control, 0) === id) abort.abort(new Aborted());
  }, ABORT_LOOK_MILLISECONDS);
  try {
    const serve = services[service as keyof typeof services] as (run: Run, ...args: unknown[]) => unknown;
    const value = await serve(run, ...args);
    send({ type: 'result', id, value, memoryBytes: memory.buffer.byteLength }, buffersOf(value));
  } catch (error) {
    send({ type: 'error', id, error: known(error), memoryBytes: memory.buffer.byteLength });
  } finally {
    clearInterval(watch);
  }
}

/** What may be thrown without the instance being in doubt; everything else ends the engine. */
function known(error: unknown): ErrorMessage | 'aborted' {
  if (error instanceof Aborted) return 'aborted';
  if (error instanceof LongformerError) return toMessage(error);
  if (saysMemoryLacks(error)) { // an array for a result, on the JavaScript side
    return { code: 'OUT_OF_MEMORY', subject: 'a result', problem: `must fit in memory: ${(error as Error).message}` };
  }
  const code = (error as { code?: ErrorCode }).code;
  if (code === 'BAD_INPUT' || code === 'OUT_OF_MEMORY') {
    return { code, subject: 'the engine', problem: `refused: ${(error as Error).message}` };
  }
  // A trap says no more than "unreachable". With the memory full, it was an allocation that failed.
  const full = memory.buffer.byteLength > 0.9 * maxMemoryBytes;
  throw full ? new Error(`its memory of ${maxMemoryBytes} bytes is full`, { cause: error }) : error;
}

// ---------------------------------------------------------------- files of the caller's

const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let lastQuestion = 0;

function ask(call: number, question: FileQuestion): Promise<unknown> {
  return new Promise((resolve, reject) => {
    asked.set(++lastQuestion, { resolve, reject });
    send({ type: 'question', id: lastQuestion, call, question });
  });
}

function receive({ id, value, error }: Answer): void {
  const { resolve, reject } = asked.get(id)!;
  asked.delete(id);
  if (error === undefined) resolve(value);
  else reject(fromMessage(error));
}

function callerFiles(call: number): Source {
  return {
    label: 'the given files',
    async open(name): Promise<OpenFile | null> {
      const opened = (await ask(call, { ask: 'open', name })) as { file: number; name: string; size: number } | null;
      if (opened === null) return null;
      const { file, ...rest } = opened;
      return {
        ...rest,
        read: (start, end) => ask(call, { ask: 'read', file, start, end }) as Promise<Uint8Array<ArrayBuffer>>,
        close: () => ask(call, { ask: 'close', file }) as Promise<void>,
      };
    },
  };
}

// ---------------------------------------------------------------- messages

function send(message: FromEngine, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
