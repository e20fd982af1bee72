// An engine where it computes: owns the instance and its memory, is thread 0 of the pool, answers
// one call at a time. It runs in a worker, or in its caller's thread.

import { LongformerError, type ErrorCode } from '../errors.ts';
import { openSource } from '../files/open.ts';
import { AskedFiles } from './caller-files.ts';
import { loadGlue, type Wasm } from './glue.ts';
import { interruptions, type Interruptions } from './interruption.ts';
import { saysMemoryLacks } from './lack-of-memory.ts';
import { takeMemory } from './memory.ts';
import { buffersOf, toMessage, type EngineStart, type ErrorMessage, type FromEngine, type Ready, type Request, type ToEngine } from './protocol.ts';
import { Aborted, services, type Run } from './services.ts';
import { tryWide, type Wide } from './wide.ts';

/** How soon an abort reaches what waits. */
const ABORT_LOOK_MILLISECONDS = 25;

type Send = (message: FromEngine, transfer?: ArrayBuffer[]) => void;

interface Parts extends Pick<EngineStart, 'control'> {
  stops: Interruptions;
  wasm: Wasm;
  memory: WebAssembly.Memory;
  maxMemoryBytes: number;
  wide: Wide | null;
  send: Send;
}

/** Initialises a build, and the pool where there is one. Rejects with `OUT_OF_MEMORY` if the memory is refused. */
export async function startHost({ module, threads, maxMemoryBytes: limit, triesWide, poolPorts, control }: EngineStart, send: Send): Promise<Host> {
  const hasPool = WebAssembly.Module.exports(module).some(({ name }) => name === 'startPool');
  const instantiate = await loadGlue(hasPool);
  const { memory, maxMemoryBytes } = takeMemory(limit, hasPool);
  const wasm = instantiate(module, memory);
  wasm.throwPanics();
  const stops = interruptions(control);
  wasm.askBetweenUnits(stops);
  if (hasPool) wasm.startPool(threads);
  for (const port of poolPorts) port.postMessage({ memory });
  const wide = triesWide ? await tryWide(wasm) : null;
  return new Host({ wasm, memory, maxMemoryBytes, wide, control, stops, send });
}

export class Host {
  readonly #parts: Parts;
  readonly #files: AskedFiles;
  /** The call that an abort came for, as a message. */
  #aborted = 0;
  #isEnded = false;
  /** What services keep between calls, for all engines of a thread. */
  readonly #forget: (() => void)[] = [];
  /** Tells what waits for a network, in the running call. */
  #abortWaits = (): void => {};

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#files = new AskedFiles(parts.send);
  }

  /** The first message to the caller's side. */
  get ready(): Ready {
    const { memory, maxMemoryBytes, wide } = this.#parts;
    return { type: 'ready', memoryBytes: memory.buffer.byteLength, maxMemoryBytes, wide };
  }

  receive(message: ToEngine): void {
    if (message.type === 'call') {
      this.#answer(message).catch((error: unknown) => this.#parts.send({ type: 'dead', why: `a worker failed: ${(error as Error).message}` }));
    } else if (message.type === 'answer') this.#files.receive(message);
    else if (message.type === 'end') {
      this.end();
      this.#parts.wasm.endPool();
    } else {
      this.#aborted = message.id;
      this.#abortWaits();
    }
  }

  /** What runs is not wanted any more, nor is anything else. */
  end(): void {
    this.#isEnded = true;
    this.#abortWaits();
    for (const forget of this.#forget) forget();
  }

  async #answer({ id, service, args }: Request): Promise<void> {
    const { wasm, memory, control, stops, send } = this.#parts;
    if (control !== null) Atomics.store(control, 1, id);
    const isAborted = (): boolean => this.#isEnded || this.#aborted === id || (control !== null && Atomics.load(control, 0) === id);
    const run: Run = {
      wasm,
      checkAbort() {
        if (isAborted()) throw new Aborted();
      },
      async pause() {
        run.checkAbort();
        await stops.pause();
        run.checkAbort();
      },
      progress: (progress) => send({ type: 'progress', id, progress }),
      onEnd: (forget) => void (this.#isEnded ? forget() : this.#forget.push(forget)),
      open: async (location) => {
        if (location === null) return this.#files.of(id);
        const { source, ...options } = location;
        return openSource(source, { ...options, signal: abort.signal, onProgress: run.progress });
      },
    };
    // What waits for a network looks at no flag: it is told.
    const abort = new AbortController();
    this.#abortWaits = () => {
      if (isAborted()) abort.abort(new Aborted());
    };
    const watch = control === null ? undefined : setInterval(this.#abortWaits, ABORT_LOOK_MILLISECONDS);
    try {
      const serve = services[service as keyof typeof services] as (run: Run, ...args: unknown[]) => unknown;
      const value = await serve(run, ...args);
      send({ type: 'result', id, value, memoryBytes: memory.buffer.byteLength }, buffersOf(value));
    } catch (error) {
      send({ type: 'error', id, error: this.#known(error), memoryBytes: memory.buffer.byteLength });
    } finally {
      clearInterval(watch);
      this.#abortWaits = () => {};
    }
  }

  /** What may be thrown without the instance being in doubt; everything else ends the engine. */
  #known(error: unknown): ErrorMessage | 'aborted' {
    const { memory, maxMemoryBytes } = this.#parts;
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
}
