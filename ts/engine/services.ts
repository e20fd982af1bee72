// What the engine's worker can be asked to do, by name. The caller's side takes the types from here.

import type { CheckedAttention } from '../attention.ts';
import type { Location } from '../files/source-options.ts';
import type { Source } from '../files/source.ts';
import type { Progress } from '../progress.ts';
import { attentionOf, disposeModel, forwardModel, loadModel } from '../models/services.ts';
import { createPipeline, disposePipeline, runPipeline } from '../pipelines/services.ts';
import {
  addDocuments, createIndex, disposeIndex, endSaving, getDocument, listDocuments, nextPiece, removeDocuments, restoreIndex, searchIndex, startSaving,
} from '../search/services.ts';
import type { Wasm } from './glue.ts';

/** What a running call has at hand. */
export interface Run {
  readonly wasm: Wasm;
  /** Throws if the caller wants no more of it. Called between layers, blocks and pieces; a step is as long as the text makes it. */
  checkAbort(): void;
  /**
   * `checkAbort`, and lets messages in where an abort can only come as one: there is no shared memory,
   * and some 40 ms have gone by since the last time.
   */
  pause(): Promise<void>;
  progress(progress: Progress): void;
  /** `forget` is called where an engine ends and its thread does not: what a service keeps by number is to go then. */
  onEnd(forget: () => void): void;
  /** The files at a location, or those that the caller brought as objects. Waiting for them ends with the caller's abort. */
  open(location: Location | null): Promise<Source>;
}

/** Thrown by `Run.checkAbort` and `Run.pause`. */
export class Aborted extends Error {}

export const services = {
  attention,
  loadModel, forwardModel, attentionOf, disposeModel,
  createIndex, addDocuments, removeDocuments, listDocuments, getDocument, searchIndex, disposeIndex,
  startSaving, nextPiece, endSaving, restoreIndex,
  createPipeline, runPipeline, disposePipeline,
  panicInPool,
};

export type ServiceName = keyof typeof services;
export type ServiceArgs<Name extends ServiceName> =
  Parameters<(typeof services)[Name]> extends [Run, ...infer Args] ? Args : never;
export type ServiceResult<Name extends ServiceName> = Awaited<ReturnType<(typeof services)[Name]>>;

function attention({ wasm, checkAbort }: Run, input: CheckedAttention): Float32Array {
  const handles: { free(): void }[] = [];
  const keep = <T extends { free(): void }>(handle: T): T => {
    handles.push(handle);
    return handle;
  };
  try {
    const local = keep(new wasm.Vectors(input.dilations.length, input.headDim, ...input.local));
    const global = input.global === null ? local : keep(new wasm.Vectors(input.dilations.length, input.headDim, ...input.global));
    const pattern = keep(new wasm.Pattern(input.oneSidedWindow, input.dilations, input.causal));
    const batch = keep(new wasm.Batch());
    batch.push(input.seqLen, input.globalTokens, input.masked);
    checkAbort();
    const context = keep(new wasm.Context());
    local.attend(global, batch, pattern, context);
    checkAbort();
    return context.read();
  } finally {
    for (const handle of handles) handle.free();
  }
}

/** Breaks a pool worker on purpose: how tests see an engine die. */
function panicInPool({ wasm }: Run): void {
  wasm.panicInPool();
}
