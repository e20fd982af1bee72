// The caller's side of an engine: starts every worker, hears every death, and keeps the process
// alive only while a call is pending.
//
//     caller's thread ──starts──▶ engine's worker   owns the memory, is thread 0 of the pool
//                     └─starts──▶ pool workers      the other threads, over the same memory
//
// Workers never start workers: one that is blocked in WebAssembly cannot hear its child die. And
// the memory is born in the engine's worker and never comes here: a caller that held it would keep
// it from being given back.

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { MessageChannel, SHARE_ENV, Worker, type MessagePort } from 'node:worker_threads';
import { checkCallOptions } from '../arguments.ts';
import { checkAttention, type AttentionInput } from '../attention.ts';
import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { Source, OpenFile } from '../files/source.ts';
import { tell, type LongCallOptions, type Progress } from '../progress.ts';
import type { Tensor } from '../tensor.ts';
import { chooseBuild, type Simd } from './builds.ts';
import {
  buffersOf, fromMessage, toMessage,
  type Answer, type EngineWorkerData, type FileQuestion, type FromEngine, type PoolWorkerData, type Question, type ToEngine,
} from './protocol.ts';
import type { ServiceArgs, ServiceName, ServiceResult } from './services.ts';

export interface EngineOptions {
  /** Threads that compute. Default: all cores up to four, half of them beyond, 16 at most. */
  threads?: number;
  /** Instructions to use. Default `auto`: the best there are. */
  simd?: 'auto' | Simd;
  /** The folder that holds the builds. Default: the package's own `pkg/`. */
  wasm?: URL;
  /** The engine's worker file; the pool's lies beside it. Default: the package's own. */
  workerUrl?: URL;
  /** Limit of the engine's memory in bytes. Default and most: 4 GiB. */
  maxMemoryBytes?: number;
  signal?: AbortSignal;
}

/** What an engine runs on. */
export interface EngineInfo {
  /** E.g. `node 24.21.0`. */
  readonly runtime: string;
  /** E.g. `threads-relaxed`. */
  readonly build: string;
  readonly simd: Simd;
  readonly threads: number;
  /** Why this build and this many threads. */
  readonly reason: string;
  /** Size of the engine's memory after the last call. */
  readonly memoryBytes: number;
}

/** WebAssembly has no more than 4 GiB in 32 bits. */
const MOST_MEMORY = 2 ** 32;

/**
 * Starts an engine: one WebAssembly instance in a worker of its own, and its pool of threads.
 *
 * Rejects with `BAD_INPUT` for options that cannot be met here, `NOT_FOUND` where the builds are
 * not in place.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkCallOptions(options);
  for (const name of ['wasm', 'workerUrl'] as const) {
    const url = options[name];
    if (url !== undefined && !(url instanceof URL)) throw new LongformerError('BAD_INPUT', name, `must be a URL, got ${quoted(url)}`);
  }
  options.signal?.throwIfAborted();
  const threads = options.threads ?? defaultThreads();
  if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
    throw new LongformerError('BAD_INPUT', 'threads', `must be an integer between 1 and 256, got ${threads}`);
  }
  const maxMemoryBytes = options.maxMemoryBytes ?? MOST_MEMORY;
  if (!(maxMemoryBytes >= 2 ** 24 && maxMemoryBytes <= MOST_MEMORY)) {
    throw new LongformerError('BAD_INPUT', 'maxMemoryBytes', `must be between 16 MiB and 4 GiB, got ${maxMemoryBytes}`);
  }
  const simd = options.simd ?? 'auto';
  if (!['auto', 'simd128', 'relaxed'].includes(simd)) {
    throw new LongformerError('BAD_INPUT', 'simd', `must be "auto", "simd128" or "relaxed", got ${JSON.stringify(simd)}`);
  }
  if ((options as { worker?: unknown }).worker === false) {
    throw new LongformerError('BAD_INPUT', 'worker', 'must be true: an engine in the calling thread is not supported yet');
  }
  const folder = new URL(`${(options.wasm ?? new URL('../../pkg', import.meta.url)).href.replace(/\/$/, '')}/`);
  const { build, reason } = chooseBuild(simd, threads, folder);
  const module = await compile(build.wasm);
  options.signal?.throwIfAborted();

  const workerUrl = options.workerUrl ?? new URL('./engine-worker.js', import.meta.url);
  const count = build.threads ? threads : 1;
  const engine = new Engine(
    { module, glue: build.glue.href, threads: count, maxMemoryBytes },
    workerUrl,
    { runtime: runtimeName(), build: build.name, simd: build.simd, threads: count, reason },
  );
  const abort = () => engine.dispose();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await engine.started;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  return engine;
}

/** One engine. Calls run one after another, in the order in which they were made. */
export class Engine {
  /** Settles when every worker runs. */
  readonly started: Promise<void>;
  readonly #info: Omit<EngineInfo, 'memoryBytes'>;
  readonly #workers: Worker[];
  readonly #control = new Int32Array(new SharedArrayBuffer(4));
  readonly #queue: PendingCall[] = [];
  #running: PendingCall | null = null;
  #lastId = 0;
  #memoryBytes = 0;
  #dead: LongformerError | null = null;

  /** Called by `createEngine` alone. */
  constructor(
    data: Omit<EngineWorkerData, 'poolPorts' | 'control'>,
    workerUrl: URL,
    info: Omit<EngineInfo, 'memoryBytes'>,
  ) {
    this.#info = info;
    const channels = Array.from({ length: data.threads - 1 }, () => new MessageChannel());
    const poolPorts = channels.map(({ port1 }) => port1);
    const pool = channels.map(({ port2: port }) => startWorker(
      new URL('./pool-worker.js', workerUrl),
      { module: data.module, glue: data.glue, port } satisfies PoolWorkerData,
      [port],
    ));
    const engine = startWorker(
      workerUrl, { ...data, poolPorts, control: this.#control } satisfies EngineWorkerData, poolPorts,
    );
    this.#workers = [engine, ...pool];
    const ready = this.#workers.map((worker) => new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.on('error', (error) => reject(this.#die(`a worker failed: ${error.message}`)));
      worker.on('exit', (code) => reject(this.#die(`a worker ended with code ${code}`)));
    }));
    engine.on('message', (message: FromEngine) => this.#receive(message));
    this.started = Promise.all(ready).then(() => {
      // After the last listener, as adding one takes the worker into account again.
      for (const worker of this.#workers) worker.unref();
      this.#next();
    });
    this.started.catch(() => {}); // whoever awaits it hears of it
  }

  get info(): EngineInfo {
    return { ...this.#info, memoryBytes: this.#memoryBytes };
  }

  /**
   * Attention by itself, over vectors at hand.
   *
   * Queries are computed in tiles of 4 or 6: a NaN or an infinity in a value reaches every query
   * that sees it, and may reach the others of its tile as well; so does one in the value of a masked
   * key. One in the value of a global key reaches every query.
   *
   * @returns the context, dims `[seqLen, numHeads, headDim]`
   */
  async attention(input: AttentionInput, options: LongCallOptions = {}): Promise<Tensor> {
    checkCallOptions(options);
    const { args, transfer, dims } = checkAttention(input);
    return { dims, data: await this.call('attention', [args], { ...options, transfer }) };
  }

  /** Ends the workers and gives their memory back. What is pending rejects with `ENGINE_DEAD`. */
  async dispose(): Promise<void> {
    this.#dead ??= new LongformerError('ENGINE_DEAD', 'the engine', 'was disposed');
    this.#rejectAll(this.#dead);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /**
   * Runs a service in the engine's worker. For the classes of this package.
   *
   * Arguments are copied before this returns, or given away where `transfer` lists their buffers.
   */
  call<Name extends ServiceName>(
    service: Name,
    args: ServiceArgs<Name>,
    options: LongCallOptions & { transfer?: ArrayBuffer[]; files?: Source } = {},
  ): Promise<ServiceResult<Name>> {
    if (this.#dead !== null) return Promise.reject(this.#dead);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason as Error);
    return new Promise<unknown>((resolve, reject) => {
      const transfer = options.transfer ?? [];
      const call: PendingCall = {
        id: ++this.#lastId,
        service,
        args: copied(args, transfer),
        files: options.files ?? null,
        open: new Map(),
        onProgress: options.onProgress,
        signal: options.signal,
        onAbort: () => this.#abort(call),
        ...waiting(),
        resolve,
        reject,
      };
      options.signal?.addEventListener('abort', call.onAbort, { once: true });
      this.#queue.push(call);
      this.#next();
    }) as Promise<ServiceResult<Name>>;
  }

  #next(): void {
    const worker = this.#workers[0]!;
    if (this.#running !== null || this.#dead !== null) return;
    this.#running = this.#queue.shift() ?? null;
    if (this.#running === null) {
      worker.unref();
      return;
    }
    worker.ref();
    const { id, service, args } = this.#running;
    worker.postMessage({ type: 'call', id, service, args } satisfies ToEngine, buffersOf(args)); // copies of ours
  }

  #receive(message: FromEngine): void {
    if (message.type === 'ready') {
      this.#memoryBytes = message.memoryBytes;
      return;
    }
    const call = this.#running;
    if (message.type === 'question') {
      if (call !== null) void this.#answer(call, message);
      return;
    }
    if (call === null || call.id !== message.id) return;
    if (message.type === 'progress') {
      tell(call.onProgress, message.progress);
      return;
    }
    this.#memoryBytes = message.memoryBytes;
    this.#running = null;
    this.#settle(call, () => {
      if (message.type === 'result') call.resolve(message.value);
      else if (message.error === 'aborted' || call.signal?.aborted) call.reject(call.signal!.reason);
      else call.reject(fromMessage(message.error));
    });
    this.#next();
  }

  /** Files that the worker cannot open, because the caller brought them as objects. An abort does not wait for them. */
  async #answer(call: PendingCall, { id, question }: Question): Promise<void> {
    let answer: Answer;
    const transfer: ArrayBuffer[] = [];
    try {
      const value = await Promise.race([answerFile(call, question), call.aborted]);
      if (value instanceof Uint8Array) transfer.push(value.buffer as ArrayBuffer);
      answer = { type: 'answer', id, value };
    } catch (error) {
      const known = error instanceof LongformerError ? error
        : new LongformerError('BAD_FILE', call.files?.label ?? 'the files', `cannot be read: ${String(error)}`);
      answer = { type: 'answer', id, error: toMessage(known) };
    }
    if (this.#dead === null) this.#workers[0]!.postMessage(answer, transfer);
  }

  #abort(call: PendingCall): void {
    const waiting = this.#queue.indexOf(call);
    if (waiting >= 0) {
      this.#queue.splice(waiting, 1);
      this.#settle(call, () => call.reject(call.signal!.reason));
    } else if (this.#running === call) {
      Atomics.store(this.#control, 0, call.id); // the worker looks at it between steps, and answers
      call.stopWaiting();
    }
  }

  #die(reason: string): LongformerError {
    if (this.#dead === null) {
      this.#dead = new LongformerError('ENGINE_DEAD', 'the engine', `is dead: ${reason}`);
      this.#rejectAll(this.#dead);
      for (const worker of this.#workers) void worker.terminate();
    }
    return this.#dead;
  }

  #rejectAll(error: LongformerError): void {
    const pending = this.#running === null ? this.#queue.splice(0) : [this.#running, ...this.#queue.splice(0)];
    this.#running = null;
    for (const call of pending) this.#settle(call, () => call.reject(error));
  }

  #settle(call: PendingCall, settle: () => void): void {
    call.signal?.removeEventListener('abort', call.onAbort);
    for (const file of call.open.values()) void file.close();
    settle();
  }
}

interface PendingCall {
  id: number;
  service: string;
  args: unknown[];
  /** Files of the caller's that the service may ask for. */
  files: Source | null;
  open: Map<number, OpenFile>;
  onProgress: ((progress: Progress) => void) | undefined;
  signal: AbortSignal | undefined;
  onAbort: () => void;
  aborted: Promise<never>;
  stopWaiting: () => void;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

async function answerFile(call: PendingCall, question: FileQuestion): Promise<unknown> {
  if (question.ask === 'open') {
    const file = (await call.files?.open(question.name)) ?? null;
    if (file === null) return null;
    const id = call.open.size + 1;
    call.open.set(id, file);
    return { file: id, name: file.name, size: file.size };
  }
  const file = call.open.get(question.file)!;
  return question.ask === 'read' ? file.read(question.start, question.end) : file.close();
}

function startWorker(url: URL, workerData: unknown, transferList: MessagePort[]): Worker {
  // Without the caller's own flags: a loader that it was started with means nothing to a worker. The
  // environment is the caller's as it is at any time: it says where the Hub and its cache are.
  return new Worker(url, { workerData, transferList, execArgv: [], env: SHARE_ENV });
}

function defaultThreads(): number {
  // Beyond four, half of what the system calls cores are usually the second threads of the others.
  const cores = availableParallelism();
  return Math.min(16, cores > 4 ? Math.floor(cores / 2) : cores);
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  const bytes = await readFile(url).catch((cause: unknown) => {
    throw new LongformerError('NOT_FOUND', url.href, 'must be a build of the crate (npm run build makes it)', { cause });
  });
  return WebAssembly.compile(new Uint8Array(bytes)).catch((cause: Error) => {
    throw new LongformerError('BAD_FILE', url.href, `must be a WebAssembly module: ${cause.message}`, { cause });
  });
}

/** Copies of a call's arguments, which nobody else can change any more. */
function copied(args: unknown, transfer: ArrayBuffer[]): unknown[] {
  try {
    return structuredClone(args, { transfer }) as unknown[];
  } catch (cause) {
    throw new LongformerError('BAD_INPUT', 'the arguments', `must be plain data: ${(cause as Error).message}`, { cause });
  }
}

/** Rejects as soon as an abort says that a file is not wanted any more. */
function waiting(): { aborted: Promise<never>; stopWaiting: () => void } {
  let stopWaiting = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stopWaiting = () => reject(new LongformerError('BAD_FILE', 'a file', 'was not waited for'));
  });
  aborted.catch(() => {}); // mostly nobody waits
  return { aborted, stopWaiting };
}

function runtimeName(): string {
  const versions = process.versions as Record<string, string | undefined>;
  if (versions['bun'] !== undefined) return `bun ${versions['bun']}`;
  if (versions['deno'] !== undefined) return `deno ${versions['deno']}`;
  return `node ${versions['node']}`;
}
