// What the caller's thread and the engine's workers say to each other.

import { LongformerError, type ErrorCode } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Wide } from './wide.ts';

/** What an engine is started with, in its worker or in the caller's thread. */
export interface EngineStart {
  type: 'engine';
  module: WebAssembly.Module;
  threads: number;
  /** The limit that the caller set, or null for the largest there is. */
  maxMemoryBytes: number | null;
  /** Whether 256 bits are to be tried. */
  triesWide: boolean;
  /** One for each pool worker, to hand it the memory. */
  poolPorts: MessagePort[];
  /**
   * `[id of the call to abort, id of the call that runs]`: shared, so that all threads see it while they compute. Null where
   * there is no shared memory: then an abort is a message.
   */
  control: Int32Array | null;
}

/** What a pool worker is started with. */
export interface PoolStart {
  type: 'pool';
  module: WebAssembly.Module;
  /** Brings the memory, once. */
  port: MessagePort;
  /** The engine's. */
  control: Int32Array | null;
}

/** The first thing that a worker is told. */
export type WorkerStart = EngineStart | PoolStart;

/** A call, one at a time. */
export interface Request { type: 'call'; id: number; service: string; args: unknown[] }

/** The answer to a `Question`. */
export interface Answer { type: 'answer'; id: number; value?: unknown; error?: ErrorMessage }

/** What a running call wants to know of its caller: files that only the caller can open. */
export interface Question { type: 'question'; id: number; call: number; question: FileQuestion }

export type FileQuestion =
  | { ask: 'open'; name: string }
  | { ask: 'read'; file: number; start: number; end: number }
  | { ask: 'close'; file: number };

export type ToEngine = Request | Answer | { type: 'abort'; id: number } | { type: 'end' };

/** What any worker says. */
export type FromWorker =
  | { type: 'ready' }
  /** It cannot start, for a reason that the caller may do something about. */
  | { type: 'refused'; error: ErrorMessage }
  /** It was of the pool, which has ended. */
  | { type: 'left' }
  /** Its state is not known any more. */
  | { type: 'dead'; why: string };

/** The first thing that an engine says, where nothing kept it from starting. */
export interface Ready { type: 'ready'; memoryBytes: number; maxMemoryBytes: number; wide: Wide | null }

export type FromEngine =
  | Exclude<FromWorker, { type: 'ready' | 'left' }>
  | Ready
  | { type: 'result'; id: number; value: unknown; memoryBytes: number }
  | { type: 'error'; id: number; error: ErrorMessage | 'aborted'; memoryBytes: number }
  | { type: 'progress'; id: number; progress: Progress }
  | Question;

/** An error on its way between threads, where classes are lost. */
export interface ErrorMessage { code: ErrorCode; subject: string; problem: string }

export function toMessage(error: LongformerError): ErrorMessage {
  return { code: error.code, subject: error.subject, problem: error.message.slice(error.subject.length + 1) };
}

export function fromMessage({ code, subject, problem }: ErrorMessage): LongformerError {
  return new LongformerError(code, subject, problem);
}

/** The buffers of all typed arrays in a message: whoever posts it gives them away uncopied. */
export function buffersOf(message: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (part: unknown): void => {
    if (ArrayBuffer.isView(part)) {
      if (part.buffer instanceof ArrayBuffer) buffers.add(part.buffer);
    } else if (Array.isArray(part)) part.forEach(visit);
    else if (typeof part === 'object' && part !== null) Object.values(part).forEach(visit);
  };
  visit(message);
  return [...buffers];
}
