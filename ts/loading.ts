// What every class that loads a checkpoint does on the caller's side: checks what it is given before
// an engine starts, starts one where none is given, and gives back what the engine holds for it.

import { checkChoice, type Names } from './arguments.ts';
import { windowPerLayer } from './config.ts';
import { DTYPES, type Dtype } from './dtype.ts';
import { createEngine } from './engine/create-engine.ts';
import { Engine } from './engine/engine.ts';
import { LongformerError } from './errors.ts';
import { openBlobs } from './files/blobs.ts';
import { checkHubOptions, SOURCE_OPTIONS, type Location, type SourceOptions } from './files/source-options.ts';
import type { FileSource, Source } from './files/source.ts';
import type { ModelSettings } from './models/services.ts';
import type { LongCallOptions } from './progress.ts';
import { quoted } from './quoted.ts';

export interface LoadOptions extends SourceOptions {
  /** The engine to load into. Default: one of the model's own, disposed with it. */
  engine?: Engine;
  /** Threads of the model's own engine. */
  threads?: number;
  /** How weights are kept. Default `f32`. */
  dtype?: Dtype;
  /**
   * Layers and tables that stay in single precision under another `dtype`, by names of the checkpoint or
   * parts of them between dots: `output.dense`, `layer.11`, `word_embeddings`. One that is in no name is refused.
   */
  modulesToNotConvert?: string[];
  /** Replaces the config's window, both sides together: a number, or one per layer. */
  attentionWindow?: number | number[];
}

export const LOAD_OPTIONS: Names<LoadOptions> = {
  engine: true, threads: true, dtype: true, modulesToNotConvert: true, attentionWindow: true, ...SOURCE_OPTIONS,
};

/** How the services of an engine are to load. */
export function modelSettings({ attentionWindow, dtype = 'f32', modulesToNotConvert = [] }: LoadOptions): ModelSettings {
  return { attentionWindow: attentionWindow ?? null, dtype, modulesToNotConvert };
}

/** The engine of an object, and whether it ends with the object. */
export interface Host {
  engine: Engine;
  ownsEngine: boolean;
}

/** Calls a service that loads. `location`: null for files that `options` bring. */
type Load<Loaded> = (engine: Engine, location: Location | null, options: LongCallOptions & { files?: Source }) => Promise<Loaded>;

/** Loads into the engine that `options` give, or into one of its own that ends if that fails. */
export async function loadWith<Loaded>(
  source: string | URL | FileSource, options: LoadOptions, load: Load<Loaded>,
): Promise<Host & { loaded: Loaded }> {
  checkOptions(options);
  const { threads, signal, onProgress } = options;
  const given = { signal, onProgress };
  const hub = checkHubOptions(options); // for files of the caller's too, which they mean nothing to
  const call = typeof source === 'string' || source instanceof URL
    ? { location: { source: String(source), ...hub }, options: given } : { location: null, options: { ...given, files: openBlobs(source) } };
  const ownsEngine = options.engine === undefined;
  const engine = options.engine ?? await createEngine({ threads, signal });
  try {
    return { loaded: await load(engine, call.location, call.options), engine, ownsEngine };
  } catch (error) {
    if (ownsEngine) await engine.dispose();
    throw error;
  }
}

/** Gives back what `load` loaded. An engine that is gone has given it back already. */
export async function unload({ engine, ownsEngine }: Host, service: 'disposeModel' | 'disposeIndex' | 'disposePipeline', id: number): Promise<void> {
  if (ownsEngine) return engine.dispose();
  try {
    await engine.call(service, [id]);
  } catch (error) {
    if (!(error instanceof LongformerError && error.code === 'ENGINE_DEAD')) throw error;
  }
}

function checkOptions({ dtype, modulesToNotConvert, engine, attentionWindow }: LoadOptions): void {
  if (dtype !== undefined) checkChoice(dtype, 'dtype', DTYPES);
  if (modulesToNotConvert !== undefined && !(Array.isArray(modulesToNotConvert) && modulesToNotConvert.every((name) => typeof name === 'string' && name !== ''))) {
    throw new LongformerError('BAD_INPUT', 'modulesToNotConvert', `must be names of layers, got ${quoted(modulesToNotConvert)}`);
  }
  if (engine !== undefined && !(engine instanceof Engine)) {
    throw new LongformerError('BAD_INPUT', 'engine', `must be an engine that createEngine made, got ${quoted(engine)}`);
  }
  // How many layers there are, only the config says.
  const layers = Array.isArray(attentionWindow) ? attentionWindow.length : 1;
  if (attentionWindow !== undefined) windowPerLayer(attentionWindow, layers, { code: 'BAD_INPUT', subject: 'attentionWindow' });
}
