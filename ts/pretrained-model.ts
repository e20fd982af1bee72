// The caller's side of every model class: a proxy of the model in the engine's worker. Here
// arguments are checked; what a class makes of a sequence is its head's business (models/heads.ts).

import { CALL_OPTIONS, checkCallOptions, checkNames, checkObject, type Names } from './arguments.ts';
import { checkList, checkPositions, maskedPositions } from './attention.ts';
import { bandsOf, type LongformerConfig } from './config.ts';
import type { Engine } from './engine/engine.ts';
import { LongformerError } from './errors.ts';
import type { FileSource } from './files/source.ts';
import { LOAD_OPTIONS, loadWith, modelSettings, unload, type Host, type LoadOptions } from './loading.ts';
import type { Architecture } from './models/heads.ts';
import type { AttentionsRequest } from './models/attentions.ts';
import { refuseWithoutRows } from './models/rows.ts';
import type { LayerOutputs, LoadedModel, SequenceInput } from './models/services.ts';
import type { LongCallOptions } from './progress.ts';
import { PLAN_REQUEST, planOf, type Plan, type PlannedModel, type PlanRequest } from './plan.ts';
import { quoted } from './quoted.ts';
import type { Tensor } from './tensor.ts';
import type { Encoding } from './tokenizer/encoding.ts';

/** One text, as ids. Lists may be arrays or typed arrays. */
export interface Sequence {
  /** Token ids, without padding. */
  inputIds: ArrayLike<number>;
  /**
   * Ascending positions of global tokens. Default: those that Hugging Face's class chooses: the first
   * token for sequence classification, the question for question answering, the second text for
   * multiple choice, none for the others.
   */
  globalTokens?: ArrayLike<number>;
  /** 0: no query sees this token, as Hugging Face's `attention_mask`. Default: all 1. */
  keyMask?: ArrayLike<number>;
  /** Default: all 0. */
  tokenTypeIds?: ArrayLike<number>;
}

export interface ForwardOptions extends LongCallOptions {
  /**
   * Tokens whose rows are wanted of the result. Default: all. `BAD_INPUT` where it has no rows: of sequence
   * classification, question answering and multiple choice.
   */
  positions?: ArrayLike<number>;
  /** All hidden states, or those of these layers (0: the embeddings). */
  outputHiddenStates?: boolean | number[];
  /** What each token pays to the others, in all layers or these (from 0 on), of all tokens or these. */
  outputAttentions?: boolean | { layers?: number[]; queries?: ArrayLike<number> };
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

/** An `Encoding` is a sequence, too. */
const SEQUENCE: Names<Sequence & Encoding> = {
  inputIds: true, globalTokens: true, keyMask: true, tokenTypeIds: true,
  tokens: true, offsets: true, sequenceIds: true, wordIds: true, specialTokensMask: true, readUntil: true,
};

const FORWARD_OPTIONS: Names<ForwardOptions> = {
  positions: true, outputHiddenStates: true, outputAttentions: true, attentionWindow: true, maxBatchTokens: true, ...CALL_OPTIONS,
};

const ATTENTION_OPTIONS: Names<AttentionOptions> = { layer: true, position: true, attentionWindow: true, ...CALL_OPTIONS };

/** A model in an engine. */
export interface Loaded extends Host, LoadedModel {
  attentionWindow: number | number[] | null;
}

/** Loads a checkpoint as a model of the class of that name; null: the class that its config.json names. */
export async function loadInto(architecture: Architecture | null, source: string | URL | FileSource, options: LoadOptions): Promise<Loaded> {
  checkCallOptions(architecture === null ? 'loadModel' : `${architecture}.fromPretrained`, options, LOAD_OPTIONS);
  const settings = modelSettings(options);
  const { loaded, ...host } = await loadWith(source, options, (engine, location, given) =>
    engine.call('loadModel', [architecture, location, settings], given));
  return { ...loaded, ...host, attentionWindow: settings.attentionWindow };
}

/** A loaded model whose class makes an `Output` of each sequence. */
export abstract class PretrainedModel<Output> {
  /** config.json as it was read. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly engine: Engine;
  /** Tokens of the longest text that it reads, special ones included: it has no more positions. */
  readonly maxTokens: number;
  readonly #id: number;
  readonly #fields: LongformerConfig;
  readonly #host: Host;
  readonly #planned: Omit<PlannedModel, 'threads'>;
  readonly #attentionWindow: number | number[] | null;

  /**
   * What `fromPretrained` and `loadModel` make it of.
   *
   * @internal
   */
  constructor({ id, architecture, dtype, weightBytes, maxTokens, config, attentionWindow, ...host }: Loaded) {
    this.engine = host.engine;
    this.#host = host;
    this.#planned = { architecture, dtype, weightBytes, maxTokens, config };
    this.config = config.json;
    this.maxTokens = maxTokens;
    this.#id = id;
    this.#fields = config;
    this.#attentionWindow = attentionWindow;
  }

  /**
   * Runs sequences together; the results come in their order.
   *
   * @internal
   */
  protected async run(sequences: readonly Sequence[], options: ForwardOptions): Promise<(Output & LayerOutputs)[]> {
    checkCallOptions('model.forward', options, FORWARD_OPTIONS);
    refuseWithoutRows(this.#planned.architecture, options.positions);
    const checked = sequences.map((sequence) => this.#check(sequence));
    const shortest = checked.reduce((least, { inputIds }) => Math.min(least, inputIds.length), Infinity);
    const results: unknown = await this.engine.call('forwardModel', [this.#id, {
      sequences: checked,
      positions: options.positions === undefined ? null : checkPositions('positions', options.positions, shortest),
      hiddenStates: this.#wantedLayers(options.outputHiddenStates),
      attentions: this.#wantedAttentions(options.outputAttentions, shortest),
      attentionWindow: this.#window(options.attentionWindow),
      maxBatchTokens: checkBatchTokens(options.maxBatchTokens ?? 16384),
    }], options);
    return results as (Output & LayerOutputs)[];
  }

  /**
   * The attention that one token pays in one layer: the weight that each head gives to each token,
   * dims `[num_attention_heads, seqLen]`. Each row has the sum 1; what the token does not see has 0.
   *
   * @example
   * ```js
   * import { LongformerModel } from 'longformer-wasm';
   *
   * const model = await LongformerModel.fromPretrained('models/embedder');
   * const { dims, data } = await model.attentionOf({ inputIds: [2, 5, 6, 7, 3] }, { layer: 1, position: 2 });
   * const firstHead = data.slice(0, dims[1]);
   * console.log(firstHead.reduce((sum, weight) => sum + weight).toFixed(3)); // => '1.000'
   * await model.dispose();
   * ```
   */
  async attentionOf(sequence: Sequence, options: AttentionOptions): Promise<Tensor> {
    checkCallOptions('model.attentionOf', options, ATTENTION_OPTIONS);
    const checked = this.#check(sequence);
    const { num_hidden_layers, num_attention_heads } = this.#fields;
    const { length } = checked.inputIds;
    const data = await this.engine.call('attentionOf', [this.#id, {
      sequence: checked,
      layer: checkIndex('layer', options.layer, num_hidden_layers),
      position: checkIndex('position', options.position, length),
      attentionWindow: this.#window(options.attentionWindow),
    }], options);
    return { dims: [num_attention_heads, length], data };
  }

  /**
   * What a call of `forward` with sequences of that size would take: memory and work. Nothing runs.
   * Throws `BAD_INPUT` for sizes that it would refuse.
   *
   * @example
   * ```js
   * import { LongformerModel } from 'longformer-wasm';
   *
   * const model = await LongformerModel.fromPretrained('models/embedder');
   * const { peakBytes, weightBytes } = model.plan({ tokens: 4096, batch: 2 });
   * console.log(peakBytes > weightBytes); // => true
   * await model.dispose();
   * ```
   */
  plan(request: PlanRequest): Plan {
    checkObject(request, 'the request');
    checkNames('model.plan', request, PLAN_REQUEST);
    const attentionWindow = request.attentionWindow ?? this.#attentionWindow ?? undefined;
    return planOf({ ...this.#planned, threads: this.engine.info.threads }, { ...request, attentionWindow });
  }

  /** Frees the weights, and ends the engine if it is the model's own. */
  async dispose(): Promise<void> {
    await unload(this.#host, 'disposeModel', this.#id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #check(sequence: Sequence): SequenceInput {
    const { vocab_size, type_vocab_size } = this.#fields;
    if (typeof sequence !== 'object' || sequence === null) {
      throw new LongformerError('BAD_INPUT', 'the sequence', `must be an object with inputIds, got ${quoted(sequence)}`);
    }
    if ('attentionMask' in sequence || 'attention_mask' in sequence) {
      throw new LongformerError('BAD_INPUT', 'attentionMask', 'is no part of a sequence: it has no padding; keyMask hides tokens, globalTokens lists global ones');
    }
    checkNames('a sequence', sequence, SEQUENCE, 'field');
    checkList('inputIds', sequence.inputIds);
    const { length } = sequence.inputIds;
    if (!(length > 0)) throw new LongformerError('BAD_INPUT', 'inputIds', 'must have at least one token, has none');
    const types = sequence.tokenTypeIds;
    if (types !== undefined) checkList('tokenTypeIds', types);
    if (types !== undefined && types.length !== length) {
      throw new LongformerError('BAD_INPUT', 'tokenTypeIds', `must have an element per token, ${length}, has ${types.length}`);
    }
    return {
      inputIds: checkIds('inputIds', sequence.inputIds, vocab_size),
      tokenTypeIds: types === undefined ? new Uint32Array(length) : checkIds('tokenTypeIds', types, type_vocab_size),
      globalTokens: sequence.globalTokens === undefined ? null : checkPositions('globalTokens', sequence.globalTokens, length),
      masked: maskedPositions(sequence.keyMask, length),
    };
  }

  #window(wanted: number | number[] | undefined): number | number[] | null {
    if (wanted === undefined) return this.#attentionWindow;
    bandsOf(this.#fields, wanted); // refuses what breaks a rule
    return wanted;
  }

  #wantedLayers(wanted: boolean | number[] | undefined): number[] {
    const count = this.#fields.num_hidden_layers + 1;
    if (wanted === undefined || wanted === false) return [];
    if (wanted === true) return Array.from({ length: count }, (_, layer) => layer);
    return [...checkPositions('outputHiddenStates', wanted, count)];
  }

  #wantedAttentions(wanted: ForwardOptions['outputAttentions'], shortest: number): AttentionsRequest {
    if (wanted === undefined || wanted === false) return { layers: [], queries: null };
    const { layers, queries } = wanted === true ? {} : checkAttentionsOption(wanted);
    const { num_hidden_layers: count } = this.#fields;
    return {
      layers: layers === undefined ? Array.from({ length: count }, (_, layer) => layer) : [...checkPositions('outputAttentions.layers', layers, count)],
      queries: queries === undefined ? null : checkPositions('outputAttentions.queries', queries, shortest),
    };
  }
}

/** A model whose results are one for each sequence. */
export abstract class SequenceModel<Output> extends PretrainedModel<Output> {
  /**
   * One sequence or several; several run together, and come back in their order.
   *
   * @example
   * ```js
   * import { LongformerModel } from 'longformer-wasm';
   *
   * const model = await LongformerModel.fromPretrained('models/embedder');
   * const [short, long] = await model.forward([{ inputIds: [2, 5, 3] }, { inputIds: [2, 5, 6, 7, 3] }], { positions: [0] });
   * console.log(short.lastHiddenState.dims, long.lastHiddenState.dims); // => [1, 16], [1, 16]
   * const { hiddenStates, attentions } = await model.forward({ inputIds: [2, 5, 3] }, { outputHiddenStates: true, outputAttentions: { layers: [0] } });
   * console.log(hiddenStates.length, attentions.length); // => 3, 1
   * await model.dispose();
   * ```
   */
  async forward(sequence: Sequence, options?: ForwardOptions): Promise<Output & LayerOutputs>;
  async forward(sequences: readonly Sequence[], options?: ForwardOptions): Promise<(Output & LayerOutputs)[]>;
  async forward(input: Sequence | readonly Sequence[], options: ForwardOptions = {}): Promise<unknown> {
    if (!Array.isArray(input)) return (await this.run([input as Sequence], options))[0]!;
    return input.length === 0 ? [] : this.run(input as readonly Sequence[], options);
  }
}

function checkAttentionsOption(wanted: Exclude<ForwardOptions['outputAttentions'], boolean | undefined>): typeof wanted {
  const known = typeof wanted === 'object' && wanted !== null && Object.keys(wanted).every((key) => key === 'layers' || key === 'queries');
  if (known) return wanted;
  throw new LongformerError('BAD_INPUT', 'outputAttentions', `must be true, false or an object with layers and queries, got ${quoted(wanted)}`);
}

function checkIndex(name: string, index: number, limit: number): number {
  if (Number.isInteger(index) && index >= 0 && index < limit) return index;
  throw new LongformerError('BAD_INPUT', name, `must be a whole number below ${limit}, got ${quoted(index)}`);
}

function checkBatchTokens(tokens: number): number {
  if (typeof tokens === 'number' && tokens >= 1) return tokens;
  throw new LongformerError('BAD_INPUT', 'maxBatchTokens', `must be a number from 1, got ${typeof tokens === 'number' ? tokens : quoted(tokens)}`);
}

function checkIds(name: string, ids: ArrayLike<number>, limit: number): Uint32Array {
  const checked = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= limit) {
      throw new LongformerError('BAD_INPUT', `${name}[${i}]`, `must be an id below ${limit}, got ${typeof id === 'number' ? id : quoted(id)}`);
    }
    checked[i] = id;
  }
  return checked;
}
