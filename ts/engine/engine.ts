// The caller's side of an engine: a queue of calls, one of which runs. Hears every death, and keeps
// the process alive only while a call is pending.

import { CALL_OPTIONS, checkCallOptions } from '../arguments.ts';
import { checkAttention, type AttentionInput } from '../attention.ts';
import { LongformerError } from '../errors.ts';
import type { Source } from '../files/source.ts';
import { tell, type LongCallOptions } from '../progress.ts';
import type { Tensor } from '../tensor.ts';
import type { Simd } from './builds.ts';
import { CallerFiles } from './caller-files.ts';
import type { Crew, CrewEvents } from './crew.ts';
import { buffersOf, fromMessage, type Question, type ToEngine } from './protocol.ts';
import type { ServiceArgs, ServiceName, ServiceResult } from './services.ts';

/** What an engine runs on. */
export interface EngineInfo {
  /** E.g. `node 24.21.0`. */
  readonly runtime: string;
  /** E.g. `threads-relaxed`. */
  readonly build: string;
  /** `wide`: the relaxed ones, fused to 256 bits. */
  readonly simd: Simd | 'wide';
  readonly threads: number;
  /** Why this build and this many threads. */
  readonly reason: string;
  /** Size of the engine's memory after the last call. */
  readonly memoryBytes: number;
  /** What it can grow to. */
  readonly maxMemoryBytes: number;
}

/** One engine. Calls run one after another, in the order in which they were made. */
export class Engine {
  /** Settles when all of it runs. */
  readonly started: Promise<void>;
  #info: Omit<EngineInfo, 'memoryBytes' | 'maxMemoryBytes'>;
  /** `[id of the call to abort, id of the call that runs]`, where memory is shared: an abort is a message elsewhere. */
  readonly #control: Int32Array | null;
  readonly #crew: Crew;
  readonly #queue: PendingCall[] = [];
  #running: PendingCall | null = null;
  #lastId = 0;
  #isReady = false;
  #memoryBytes = 0;
  #maxMemoryBytes = 0;
  #dead: LongformerError | null = null;
  #failStart: (error: LongformerError) => void = () => {};

  /** Called by `createEngine` alone. */
  constructor(
    info: Omit<EngineInfo, 'memoryBytes' | 'maxMemoryBytes'>, control: Int32Array | null, startCrew: (events: CrewEvents) => Crew,
  ) {
    this.#info = info;
    this.#control = control;
    let start = (): void => {};
    this.started = new Promise<void>((resolve, reject) => { [start, this.#failStart] = [resolve, reject]; });
    this.started.catch(() => {}); // whoever awaits it hears of it
    this.#crew = startCrew({
      onReady: ({ memoryBytes, maxMemoryBytes, wide }) => {
        if (wide !== null) this.#info = { ...info, simd: wide.isOn ? 'wide' : info.simd, reason: `${info.reason}; ${wide.reason}` };
        [this.#memoryBytes, this.#maxMemoryBytes, this.#isReady] = [memoryBytes, maxMemoryBytes, true];
        start();
        this.#next();
      },
      onMessage: (message) => this.#receive(message),
      onDeath: (error) => this.#end(error),
    });
  }

  get info(): EngineInfo {
    return { ...this.#info, memoryBytes: this.#memoryBytes, maxMemoryBytes: this.#maxMemoryBytes };
  }

  /**
   * Attention by itself, over vectors at hand.
   *
   * A NaN or an infinity in a query reaches its own row; one in a key reaches every query that sees it,
   * and no other. Queries are computed in groups of 8, or of 16 where the engine is wide: one in a value
   * reaches every query that sees it, and may reach the others of its group as well, earlier ones under
   * `causal`, too; so does one in the value of a masked key. One in the value of a global key reaches every
   * query. Values are taken to lie below 1e24, and lose digits below 1e-28: sums of them, weighted by up to
   * 2^30, must fit into single precision.
   *
   * @returns the context, dims `[seqLen, numHeads, headDim]`
   *
   * @example
   * ```js
   * import { createEngine } from 'longformer-wasm';
   *
   * const engine = await createEngine();
   * const [seqLen, numHeads, headDim] = [1000, 2, 16];
   * const vectors = () => Float32Array.from({ length: seqLen * numHeads * headDim }, () => Math.random() - 0.5);
   * const context = await engine.attention({
   *   query: vectors(), key: vectors(), value: vectors(), seqLen, numHeads, headDim,
   *   oneSidedWindow: 8, dilation: [1, 4], globalTokens: [0],
   * });
   * console.log(context.dims); // => [1000, 2, 16]
   * await engine.dispose();
   * ```
   */
  async attention(input: AttentionInput, options: LongCallOptions = {}): Promise<Tensor> {
    checkCallOptions('engine.attention', options, CALL_OPTIONS);
    const { args, transfer, dims } = checkAttention(input);
    return { dims, data: await this.call('attention', [args], { ...options, transfer }) };
  }

  /** Ends the workers and gives their memory back. What is pending rejects with `ENGINE_DEAD`. */
  async dispose(): Promise<void> {
    await this.#end(new LongformerError('ENGINE_DEAD', 'the engine', 'was disposed'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /**
   * Runs a service in the engine's worker. For the classes of this package.
   *
   * Arguments are copied before this returns, or given away where `transfer` lists their buffers.
   *
   * @internal
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
        files: new CallerFiles(options.files ?? null),
        onProgress: options.onProgress,
        signal: options.signal,
        onAbort: () => this.#abort(call),
        resolve,
        reject,
      };
      options.signal?.addEventListener('abort', call.onAbort, { once: true });
      this.#queue.push(call);
      this.#next();
    }) as Promise<ServiceResult<Name>>;
  }

  #next(): void {
    if (this.#running !== null || this.#dead !== null || !this.#isReady) return;
    this.#running = this.#queue.shift() ?? null;
    if (this.#running === null) {
      this.#crew.unref();
      return;
    }
    this.#crew.ref();
    const { id, service, args } = this.#running;
    this.#crew.post({ type: 'call', id, service, args } satisfies ToEngine, buffersOf(args)); // copies of ours
  }

  #receive(message: Parameters<CrewEvents['onMessage']>[0]): void {
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

  async #answer(call: PendingCall, question: Question): Promise<void> {
    const { answer, transfer } = await call.files.answer(question);
    if (this.#dead === null) this.#crew.post(answer satisfies ToEngine, transfer);
  }

  #abort(call: PendingCall): void {
    const waiting = this.#queue.indexOf(call);
    if (waiting >= 0) {
      this.#queue.splice(waiting, 1);
      this.#settle(call, () => call.reject(call.signal!.reason));
    } else if (this.#running === call) {
      // It is looked at between steps, and answered.
      if (this.#control !== null) Atomics.store(this.#control, 0, call.id);
      else this.#crew.post({ type: 'abort', id: call.id } satisfies ToEngine);
      call.files.stopWaiting();
    }
  }

  async #end(error: LongformerError): Promise<void> {
    this.#dead ??= error;
    this.#failStart(this.#dead); // unless it has started
    this.#rejectAll(this.#dead);
    await this.#crew.terminate();
  }

  #rejectAll(error: LongformerError): void {
    const pending = this.#running === null ? this.#queue.splice(0) : [this.#running, ...this.#queue.splice(0)];
    this.#running = null;
    for (const call of pending) this.#settle(call, () => call.reject(error));
  }

  #settle(call: PendingCall, settle: () => void): void {
    call.signal?.removeEventListener('abort', call.onAbort);
    call.files.close();
    settle();
  }
}

interface PendingCall {
  id: number;
  service: string;
  args: unknown[];
  /** Files of the caller's that the service may ask for. */
  files: CallerFiles;
  onProgress: LongCallOptions['onProgress'];
  signal: AbortSignal | undefined;
  onAbort: () => void;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

/** Copies of a call's arguments, which nobody else can change any more. */
function copied(args: unknown, transfer: ArrayBuffer[]): unknown[] {
  try {
    return structuredClone(args, { transfer }) as unknown[];
  } catch (cause) {
    throw new LongformerError('BAD_INPUT', 'the arguments', `must be plain data: ${(cause as Error).message}`, { cause });
  }
}
