// What the engine's worker can be asked to do, by name. The caller's side takes the types from here.

import type { CheckedAttention } from '../attention.ts';
import type { Location } from '../files/source-options.ts';
import type { Source } from '../files/source.ts';
import type { Progress } from '../progress.ts';
import { product } from '../models/product.ts';
import { attentionOf, disposeModel, forwardModel, loadModel } from '../models/services.ts';
import { createPipeline, disposePipeline, runPipeline } from '../pipelines/services.ts';
import {
  addDocuments, createIndex, disposeIndex, endSaving, getDocument, listDocuments, nextPiece, removeDocuments, restoreIndex, searchIndex, startSaving,
} from '../search/services.ts';
import type { Vectors } from '../../pkg/threads-simd128/longformer.js';
import type { Wasm } from './glue.ts';
import { read, through } from './work.ts';

/** What a running call has at hand. */
export interface Run {
  readonly wasm: Wasm;
  /** Throws if the caller wants no more of it. */
  checkAbort(): void;
  /**
   * `checkAbort`, and lets messages in where an abort can only come as one: there is no shared memory,
   * and it is time for them (interruption.ts).
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
  attention, product,
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

async function attention(run: Run, input: CheckedAttention): Promise<Float32Array> {
  const { wasm } = run;
  const handles: { free(): void }[] = [];
  const keep = <T extends { free(): void }>(handle: T): T => {
    handles.push(handle);
    return handle;
  };
  try {
    const vectors = async (given: CheckedAttention['local']): Promise<Vectors> => {
      const made = keep(new wasm.Vectors(input.dilations.length, input.headDim));
      await through(run, (work) => made.write(work, ...given));
      return made;
    };
    const local = await vectors(input.local);
    const global = input.global === null ? local : await vectors(input.global);
    const pattern = keep(new wasm.Pattern(input.oneSidedWindow, input.dilations, input.causal));
    const batch = keep(new wasm.Batch());
    batch.push(input.seqLen, input.globalTokens, input.masked);
    const context = keep(new wasm.Context());
    await through(run, (work) => local.attend(work, global, batch, pattern, context));
    return await read(run, context, 0, new Float32Array(input.seqLen * input.dilations.length * input.headDim));
  } finally {
    for (const handle of handles) handle.free();
  }
}

/** Breaks a pool worker on purpose: how tests see an engine die. */
function panicInPool({ wasm }: Run): void {
  wasm.panicInPool();
}
