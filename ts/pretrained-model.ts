// The caller's side of every model class: a proxy of the model in the engine's worker. Here
// arguments are checked; what a class makes of a sequence is its head's business (models/heads.ts).

import { checkPositions, maskedPositions } from './attention.ts';
import type { LongformerConfig } from './config.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { LongformerError } from './errors.ts';
import { openBlobs } from './files/blobs.ts';
import type { FileSource } from './files/source.ts';
import type { Architecture } from './models/heads.ts';
import type { EncoderInput } from './models/longformer.ts';
import type { HiddenStatesOutput, LoadedModel } from './models/services.ts';
import type { LongCallOptions } from './progress.ts';
import { quoted } from './quoted.ts';
import type { Tensor } from './tensor.ts';

export interface LoadOptions extends LongCallOptions {
  /** The engine to load into. Default: one of the model's own, disposed with it. */
  engine?: Engine;
  /** Threads of the model's own engine. */
  threads?: number;
  /** How weights are kept. */
  dtype?: 'f32';
  /** Replaces the config's window, both sides together: a number, or one per layer. */
  attentionWindow?: number | number[];
}

/** One text, as ids. Lists may be arrays or typed arrays. */
export interface Sequence {
  /** Token ids, without padding. */
  inputIds: ArrayLike<number>;
  /** Ascending positions of global tokens. Default: none. */
  globalTokens?: ArrayLike<number>;
  /** 0: no query sees this token, as Hugging Face's `attention_mask`. Default: all 1. */
  keyMask?: ArrayLike<number>;
  /** Default: all 0. */
  tokenTypeIds?: ArrayLike<number>;
}

export interface ForwardOptions extends LongCallOptions {
  /** Tokens whose rows are wanted of the result. Default: all. */
  positions?: ArrayLike<number>;
  /** All hidden states, or those of these layers (0: the embeddings). */
  outputHiddenStates?: boolean | number[];
  /** Replaces the window for this call, both sides together. */
  attentionWindow?: number | number[];
  /** Sequences go through the layers together, up to this many tokens. Default 16384. */
  maxBatchTokens?: number;
}

/** One token of one layer, and its window where it is not the config's. */
export interface AttentionOptions extends LongCallOptions {
  /** From 0 on. */
  layer: number;
  /** The token that attends. */
  position: number;
  /** Replaces the window for this call, both sides together. */
  attentionWindow?: number | number[];
}

/** A model in an engine. */
interface Loaded extends LoadedModel {
  engine: Engine;
  ownsEngine: boolean;
  attentionWindow: number | number[] | undefined;
}

/** Loads a checkpoint as a model of the class of that name. */
export async function loadInto(architecture: Architecture, source: string | URL | FileSource, options: LoadOptions): Promise<Loaded> {
  if (options.dtype !== undefined && options.dtype !== 'f32') {
    throw new LongformerError('BAD_INPUT', 'dtype', `must be "f32", got ${quoted(options.dtype)}`);
  }
  const files = typeof source === 'string' || source instanceof URL ? null : openBlobs(source);
  const location = files === null ? String(source as string | URL) : null;
  const { signal, threads, attentionWindow } = options;
  const ownsEngine = options.engine === undefined;
  const engine = options.engine ?? await createEngine({ ...(threads && { threads }), ...(signal && { signal }) });
  try {
    const loaded = await engine.call('loadModel', [architecture, location], { ...options, ...(files && { files }) });
    return { ...loaded, engine, ownsEngine, attentionWindow };
  } catch (error) {
    if (ownsEngine) await engine.dispose();
    throw error;
  }
}

/** A loaded model whose class makes an `Output` of a sequence. */
export abstract class PretrainedModel<Output> {
  /** config.json as it was read. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly engine: Engine;
  readonly #id: number;
  readonly #fields: LongformerConfig;
  readonly #ownsEngine: boolean;
  readonly #attentionWindow: number | number[] | undefined;

  protected constructor({ engine, ownsEngine, id, config, attentionWindow }: Loaded) {
    this.engine = engine;
    this.config = config.json;
    this.#id = id;
    this.#fields = config;
    this.#ownsEngine = ownsEngine;
    this.#attentionWindow = attentionWindow;
  }

  /** One sequence or several; several run together, and come back in their order. */
  async forward(sequence: Sequence, options?: ForwardOptions): Promise<Output & HiddenStatesOutput>;
  async forward(sequences: readonly Sequence[], options?: ForwardOptions): Promise<(Output & HiddenStatesOutput)[]>;
  async forward(input: Sequence | readonly Sequence[], options: ForwardOptions = {}): Promise<unknown> {
    const sequences = Array.isArray(input) ? input as readonly Sequence[] : [input as Sequence];
    if (sequences.length === 0) return [];
    const checked = sequences.map((sequence) => this.#check(sequence));
    const shortest = Math.min(...checked.map(({ inputIds }) => inputIds.length));
    const results = await this.engine.call('forwardModel', [this.#id, {
      sequences: checked,
      positions: options.positions === undefined ? null : checkPositions('positions', options.positions, shortest),
      hiddenStates: this.#wantedLayers(options.outputHiddenStates),
      attentionWindow: options.attentionWindow ?? this.#attentionWindow ?? null,
      maxBatchTokens: options.maxBatchTokens ?? 16384,
    }], options);
    return Array.isArray(input) ? results : results[0]!;
  }

  /**
   * The attention that one token pays in one layer: the weight that each head gives to each token,
   * dims `[num_attention_heads, seqLen]`. Each row has the sum 1; what the token does not see has 0.
   */
  async attentionOf(sequence: Sequence, options: AttentionOptions): Promise<Tensor> {
    const checked = this.#check(sequence);
    const { num_hidden_layers, num_attention_heads } = this.#fields;
    const { length } = checked.inputIds;
    const data = await this.engine.call('attentionOf', [this.#id, {
      sequence: checked,
      layer: checkIndex('layer', options.layer, num_hidden_layers),
      position: checkIndex('position', options.position, length),
      attentionWindow: options.attentionWindow ?? this.#attentionWindow ?? null,
    }], options);
    return { dims: [num_attention_heads, length], data };
  }

  /** Frees the weights, and ends the engine if it is the model's own. */
  async dispose(): Promise<void> {
    if (this.#ownsEngine) await this.engine.dispose();
    else await this.engine.call('disposeModel', [this.#id]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #check(sequence: Sequence): EncoderInput {
    const { vocab_size, type_vocab_size } = this.#fields;
    const length = sequence.inputIds.length;
    if (!(length > 0)) throw new LongformerError('BAD_INPUT', 'inputIds', 'must have at least one token, has none');
    const types = sequence.tokenTypeIds;
    if (types !== undefined && types.length !== length) {
      throw new LongformerError('BAD_INPUT', 'tokenTypeIds', `must have an element per token, ${length}, has ${types.length}`);
    }
    return {
      inputIds: checkIds('inputIds', sequence.inputIds, vocab_size),
      tokenTypeIds: types === undefined ? new Uint32Array(length) : checkIds('tokenTypeIds', types, type_vocab_size),
      globalTokens: checkPositions('globalTokens', sequence.globalTokens ?? [], length),
      masked: maskedPositions(sequence.keyMask, length),
    };
  }

  #wantedLayers(wanted: boolean | number[] | undefined): number[] {
    const count = this.#fields.num_hidden_layers + 1;
    if (wanted === undefined || wanted === false) return [];
    if (wanted === true) return Array.from({ length: count }, (_, layer) => layer);
    return [...checkPositions('outputHiddenStates', wanted, count)];
  }
}

function checkIndex(name: string, index: number, limit: number): number {
  if (Number.isInteger(index) && index >= 0 && index < limit) return index;
  throw new LongformerError('BAD_INPUT', name, `must be a whole number below ${limit}, got ${quoted(index)}`);
}

function checkIds(name: string, ids: ArrayLike<number>, limit: number): Uint32Array {
  const checked = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= limit) {
      throw new LongformerError('BAD_INPUT', `${name}[${i}]`, `must be an id below ${limit}, got ${id}`);
    }
    checked[i] = id;
  }
  return checked;
}
