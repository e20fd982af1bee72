// LongformerModel: the base model on the caller's side, a proxy of the one in the engine's worker.

import { checkPositions, maskedPositions } from './attention.ts';
import type { LongformerConfig } from './config.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { LongformerError } from './errors.ts';
import { openBlobs } from './files/blobs.ts';
import type { FileSource } from './files/source.ts';
import type { EncoderInput } from './models/longformer.ts';
import type { LoadedModel, SequenceResult } from './models/services.ts';
import type { LongCallOptions } from './progress.ts';
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
  /** Rows wanted of the last hidden state. Default: all. */
  positions?: ArrayLike<number>;
  /** All hidden states, or those of these layers (0: the embeddings). */
  outputHiddenStates?: boolean | number[];
  /** Replaces the window for this call, both sides together. */
  attentionWindow?: number | number[];
  /** Sequences go through the layers together, up to this many tokens. Default 16384. */
  maxBatchTokens?: number;
}

export interface BaseModelOutput {
  /** `[rows, hidden_size]` */
  lastHiddenState: Tensor;
  /** `[hidden_size]`, where the checkpoint has a pooler. */
  poolerOutput?: Tensor;
  /** `[seqLen, hidden_size]` each: `num_hidden_layers + 1` of them, or the layers asked for. */
  hiddenStates?: Tensor[];
}

/** The Longformer encoder, as Hugging Face's `LongformerModel`. */
export class LongformerModel {
  /** config.json as it was read. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly engine: Engine;
  readonly #id: number;
  readonly #fields: LongformerConfig;
  readonly #ownsEngine: boolean;
  readonly #attentionWindow: number | number[] | undefined;

  private constructor(engine: Engine, ownsEngine: boolean, { id, config }: LoadedModel, attentionWindow?: number | number[]) {
    this.engine = engine;
    this.config = config.json;
    this.#id = id;
    this.#fields = config;
    this.#ownsEngine = ownsEngine;
    this.#attentionWindow = attentionWindow;
  }

  /**
   * Loads a checkpoint: config.json and model.safetensors.
   *
   * @param source a directory (path or `file:` URL), or files by name
   *
   * Rejects with `NOT_FOUND` for a missing directory, file or tensor, `BAD_FILE` for a malformed
   * one, `OUT_OF_MEMORY` if the weights do not fit.
   */
  static async fromPretrained(source: string | URL | FileSource, options: LoadOptions = {}): Promise<LongformerModel> {
    if (options.dtype !== undefined && options.dtype !== 'f32') {
      throw new LongformerError('BAD_INPUT', 'dtype', `must be "f32", got ${JSON.stringify(options.dtype)}`);
    }
    const files = typeof source === 'string' || source instanceof URL ? null : openBlobs(source);
    const location = files === null ? String(source as string | URL) : null;
    const { signal, threads } = options;
    const engine = options.engine ?? await createEngine({ ...(threads && { threads }), ...(signal && { signal }) });
    try {
      const loaded = await engine.call('loadModel', [location], { ...options, ...(files && { files }) });
      return new LongformerModel(engine, options.engine === undefined, loaded, options.attentionWindow);
    } catch (error) {
      if (options.engine === undefined) await engine.dispose();
      throw error;
    }
  }

  /** One sequence or several; several run together, and come back in their order. */
  async forward(sequence: Sequence, options?: ForwardOptions): Promise<BaseModelOutput>;
  async forward(sequences: readonly Sequence[], options?: ForwardOptions): Promise<BaseModelOutput[]>;
  async forward(input: Sequence | readonly Sequence[], options: ForwardOptions = {}): Promise<BaseModelOutput | BaseModelOutput[]> {
    const sequences = Array.isArray(input) ? input as readonly Sequence[] : [input as Sequence];
    if (sequences.length === 0) return [];
    const checked = sequences.map((sequence) => this.#check(sequence));
    const shortest = Math.min(...checked.map(({ inputIds }) => inputIds.length));
    const positions = options.positions === undefined ? null : checkPositions('positions', options.positions, shortest);
    const results = await this.engine.call('forwardModel', [this.#id, {
      sequences: checked,
      positions,
      hiddenStates: this.#wantedLayers(options.outputHiddenStates),
      attentionWindow: options.attentionWindow ?? this.#attentionWindow ?? null,
      maxBatchTokens: options.maxBatchTokens ?? 16384,
    }], options);
    const outputs = results.map((result, i) => this.#output(result, checked[i]!, options));
    return Array.isArray(input) ? outputs : outputs[0]!;
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

  #output(result: SequenceResult, { inputIds }: EncoderInput, options: ForwardOptions): BaseModelOutput {
    const hidden = this.#fields.hidden_size;
    const rows = (data: Float32Array): Tensor => ({ dims: [data.length / hidden, hidden], data });
    return {
      lastHiddenState: rows(result.lastHiddenState),
      ...(result.poolerOutput && { poolerOutput: { dims: [hidden], data: result.poolerOutput } }),
      ...(options.outputHiddenStates && { hiddenStates: result.hiddenStates.map((data) => ({ dims: [inputIds.length, hidden], data })) }),
    };
  }
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
