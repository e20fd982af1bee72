// What the caller's thread and the engine's workers say to each other.

import { LongformerError, type ErrorCode } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { MessagePort } from 'node:worker_threads';

/** What the engine's worker is started with. */
export interface EngineWorkerData {
  module: WebAssembly.Module;
  glue: string;
  threads: number;
  maxMemoryBytes: number;
  /** One for each pool worker, to hand it the memory. */
  poolPorts: MessagePort[];
  /** `[id of the call to abort]`: shared, so that it is seen while the worker computes. */
  control: Int32Array;
}

/** What a pool worker is started with. */
export interface PoolWorkerData {
  module: WebAssembly.Module;
  glue: string;
  /** Brings the memory, once. */
  port: MessagePort;
}

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

export type ToEngine = Request | Answer;

export type FromEngine =
  | { type: 'ready'; memoryBytes: number }
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
