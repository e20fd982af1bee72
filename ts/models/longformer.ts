// The Longformer encoder: weights and forward pass, in the order in which the data flows.
//
// The numbers are those of `LongformerModel` in Hugging Face transformers; config fields and
// weights carry their names. With `norm_first`, where layer norm comes before attention and
// feed-forward instead of behind them, as in the paper's character models, weights carry the names
// of Hugging Face's RobertaPreLayerNorm. A batch is ragged: sequences side by side, without padding.

import { LongformerError } from '../errors.ts';
import type { Run } from '../engine/services.ts';
import { read, through } from '../engine/work.ts';
import type { LayerBand, LongformerConfig } from '../config.ts';
import { concatenate } from './groups.ts';
import type { Checkpoint } from './head.ts';
import type { Weights } from './weights.ts';
import type {
  Batch, Context, Embeddings, HiddenStates, LayerNorm, Linear, Pattern, Projections,
} from '../../pkg/threads-simd128/longformer.js';

/** One sequence, checked: every id fits its table, every list is ascending. */
export interface EncoderInput {
  readonly inputIds: Uint32Array;
  readonly tokenTypeIds: Uint32Array;
  readonly globalTokens: Uint32Array;
  /** Positions that no query sees. */
  readonly masked: Uint32Array;
}

type AfterLayer = (layer: number, hiddenStates: HiddenStates) => void | Promise<void>;

/** What a layer's attention is made of. */
export interface LayerAttention {
  readonly hiddenStates: HiddenStates;
  readonly local: Projections;
  readonly global: Projections;
  readonly batch: Batch;
  readonly pattern: Pattern;
}

type OnAttention = (layer: number, attention: LayerAttention) => Promise<void>;

interface Layer {
  local: Projections; // query, key, value
  global: Projections; // the same, for the rows of global tokens
  attentionOutput: Linear;
  attentionNorm: LayerNorm;
  intermediate: Linear;
  output: Linear;
  feedForwardNorm: LayerNorm;
}

export class Longformer {
  readonly config: LongformerConfig;
  /** The position of a text's first token, see prefix.ts. */
  readonly firstPosition: number;
  /** Tokens of the longest text. */
  readonly maxTokens: number;
  readonly #wasm: Run['wasm'];
  readonly #embeddings: Embeddings;
  readonly #layers: Layer[];
  readonly #finalNorm: LayerNorm | null;

  private constructor(
    wasm: Run['wasm'], { config, firstPosition }: Checkpoint, embeddings: Embeddings, layers: Layer[], finalNorm: LayerNorm | null,
  ) {
    this.#wasm = wasm;
    this.config = config;
    this.firstPosition = firstPosition;
    this.maxTokens = config.max_position_embeddings - firstPosition;
    this.#embeddings = embeddings;
    this.#layers = layers;
    this.#finalNorm = finalNorm;
  }

  static async load({ wasm }: Run, checkpoint: Checkpoint): Promise<Longformer> {
    const { weights, prefix, config } = checkpoint;
    const embeddings = await loadEmbeddings(wasm, weights, config, `${prefix}embeddings`);
    const names = Array.from({ length: config.num_hidden_layers }, (_, layer) => `${prefix}encoder.layer.${layer}`);
    // A checkpoint trained without global tokens may have no projections for them, in none of its layers.
    const projectsGlobal = names.some((name) => GLOBAL_PROJECTIONS.some((part) => weights.has(`${name}.attention.self.${part}.weight`)));
    const layers: Layer[] = [];
    for (const name of names) layers.push(await loadLayer(wasm, weights, config, name, projectsGlobal));
    const finalNorm = config.norm_first ? await weights.layerNorm(`${prefix}LayerNorm`, config.hidden_size, config.layer_norm_eps) : null;
    return new Longformer(wasm, checkpoint, embeddings, layers, finalNorm);
  }

  /**
   * Runs all layers over sequences side by side.
   *
   * @param bands which keys each layer's heads see
   * @param afterLayer called with the embeddings as layer 0, then with every layer's result, to which
   *   `norm_first` adds a last norm outside of the layers
   * @param onAttention called in every layer (from 0 on), before its attention
   * @returns the last hidden states, `[all tokens, hidden_size]`; the caller frees them
   */
  async forward(
    run: Run, sequences: readonly EncoderInput[], bands: readonly LayerBand[], afterLayer: AfterLayer, onAttention?: OnAttention,
  ): Promise<HiddenStates> {
    const batch = this.#batch(sequences);
    try {
      const hiddenStates = await this.#encode(run, sequences, batch, bands, afterLayer, onAttention);
      if (this.#finalNorm === null) return hiddenStates;
      try {
        return await normalized(run, hiddenStates, this.#finalNorm);
      } finally {
        hiddenStates.free();
      }
    } finally {
      batch.free();
    }
  }

  /**
   * The weights with which each head of a layer (from 0 on) sees the tokens from one of them,
   * `[num_attention_heads, seqLen]`.
   */
  async attentionOf(
    run: Run, sequence: EncoderInput, bands: readonly LayerBand[], layer: number, position: number, afterLayer: AfterLayer,
  ): Promise<Float32Array> {
    const { local, global, attentionNorm } = this.#layers[layer]!;
    const pattern = this.#pattern(bands[layer]!);
    const weights = new this.#wasm.AttentionWeights();
    let batch: Batch | null = null;
    let hiddenStates: HiddenStates | null = null;
    let normal: HiddenStates | null = null;
    try {
      const attended = batch = this.#batch([sequence]);
      hiddenStates = await this.#encode(run, [sequence], attended, bands.slice(0, layer), afterLayer);
      normal = this.config.norm_first ? await normalized(run, hiddenStates, attentionNorm) : null;
      const attending = normal ?? hiddenStates;
      await through(run, (work) => attending.attentionWeights(work, local, global, attended, pattern, position, weights));
      return await read(run, weights, 0, new Float32Array(this.config.num_attention_heads * sequence.inputIds.length));
    } finally {
      normal?.free();
      hiddenStates?.free();
      batch?.free();
      weights.free();
      pattern.free();
    }
  }

  /** The hidden states behind as many layers as there are `bands`. */
  async #encode(
    run: Run, sequences: readonly EncoderInput[], batch: Batch, bands: readonly LayerBand[], afterLayer: AfterLayer, onAttention?: OnAttention,
  ): Promise<HiddenStates> {
    const context = new this.#wasm.Context();
    const encode = this.config.norm_first ? encodeNormFirst : encodeNormLast;
    const hiddenStates = new this.#wasm.HiddenStates(this.config.hidden_size);
    try {
      await this.#embed(run, sequences, hiddenStates);
      await afterLayer(0, hiddenStates);
      for (const [index, band] of bands.entries()) {
        await run.pause();
        const pattern = this.#pattern(band);
        try {
          const { local, global } = this.#layers[index]!;
          await encode(run, this.#layers[index]!, hiddenStates, batch, pattern, context, async (attending) => {
            await onAttention?.(index, { hiddenStates: attending, local, global, batch, pattern });
          });
        } finally {
          pattern.free();
        }
        await afterLayer(index + 1, hiddenStates);
      }
      return hiddenStates;
    } catch (error) {
      hiddenStates.free();
      throw error;
    } finally {
      context.free();
    }
  }

  /** The caller frees it. */
  #batch(sequences: readonly EncoderInput[]): Batch {
    const batch = new this.#wasm.Batch();
    try {
      for (const { inputIds, globalTokens, masked } of sequences) batch.push(inputIds.length, globalTokens, masked);
      return batch;
    } catch (error) {
      batch.free();
      throw error;
    }
  }

  /** The caller frees it. */
  #pattern({ oneSidedWindow, dilations }: LayerBand): Pattern {
    return new this.#wasm.Pattern(oneSidedWindow, Uint32Array.from(dilations), this.config.autoregressive);
  }

  async #embed(run: Run, sequences: readonly EncoderInput[], hiddenStates: HiddenStates): Promise<void> {
    const ids = concatenate(sequences.map(({ inputIds }) => inputIds));
    const positions = concatenate(sequences.map(({ inputIds }) => positionIds(inputIds, this.config, this.firstPosition)));
    const types = concatenate(sequences.map(({ tokenTypeIds }) => tokenTypeIds));
    await through(run, (work) => this.#embeddings.forward(work, ids, positions, types, hiddenStates));
  }
}

/** BERT's order: each norm behind what it follows. */
async function encodeNormLast(
  run: Run, layer: Layer, hiddenStates: HiddenStates, batch: Batch, pattern: Pattern, context: Context,
  onAttention: (hiddenStates: HiddenStates) => Promise<void>,
): Promise<void> {
  await onAttention(hiddenStates);
  await through(run, (work) => hiddenStates.attend(work, layer.local, layer.global, batch, pattern, context));
  await through(run, (work) => hiddenStates.addAndNorm(work, context, layer.attentionOutput, layer.attentionNorm));
  await through(run, (work) => hiddenStates.feedForwardAndNorm(work, layer.intermediate, layer.output, layer.feedForwardNorm));
}

/** The order of the paper's character models: what is added up goes through no norm. */
async function encodeNormFirst(
  run: Run, layer: Layer, hiddenStates: HiddenStates, batch: Batch, pattern: Pattern, context: Context,
  onAttention: (hiddenStates: HiddenStates) => Promise<void>,
): Promise<void> {
  const normal = await normalized(run, hiddenStates, layer.attentionNorm);
  try {
    await onAttention(normal);
    await through(run, (work) => normal.attend(work, layer.local, layer.global, batch, pattern, context));
  } finally {
    normal.free();
  }
  await through(run, (work) => hiddenStates.add(work, context, layer.attentionOutput));
  await through(run, (work) => hiddenStates.normAndFeedForward(work, layer.feedForwardNorm, layer.intermediate, layer.output));
}

/** `norm(hiddenStates)`, as hidden states of their own. The caller frees them. */
async function normalized(run: Run, hiddenStates: HiddenStates, norm: LayerNorm): Promise<HiddenStates> {
  const normal = new run.wasm.HiddenStates(1);
  try {
    await through(run, (work) => hiddenStates.normalize(work, norm, normal));
    return normal;
  } catch (error) {
    normal.free();
    throw error;
  }
}

/**
 * Positions as Hugging Face counts them. From `pad_token_id + 1` on, a padding id gets `pad_token_id`
 * and is not counted (`create_position_ids_from_input_ids`); from 0 on, every token is (BERT).
 */
export function positionIds(
  inputIds: Uint32Array, { pad_token_id: pad, max_position_embeddings: rows }: LongformerConfig, firstPosition: number,
): Uint32Array {
  let next = firstPosition;
  const positions = inputIds.map((id) => (id === pad && firstPosition > 0 ? pad : next++));
  if (next > rows) {
    throw new LongformerError('BAD_INPUT', 'inputIds',
      `must have at most ${rows - firstPosition} tokens, the checkpoint has no more positions; got ${next - firstPosition}`);
  }
  return positions;
}

async function loadEmbeddings(wasm: Run['wasm'], weights: Weights, config: LongformerConfig, prefix: string): Promise<Embeddings> {
  const { hidden_size: hidden } = config;
  const words = await weights.table(`${prefix}.word_embeddings`, config.vocab_size, hidden);
  const positions = await weights.table(`${prefix}.position_embeddings`, config.max_position_embeddings, hidden);
  const tokenTypes = await weights.table(`${prefix}.token_type_embeddings`, config.type_vocab_size, hidden);
  const norm = await weights.layerNorm(`${prefix}.LayerNorm`, hidden, config.layer_norm_eps);
  const parts = [words, positions, tokenTypes, norm] as const;
  for (const part of parts) weights.release(part);
  return weights.keep(new wasm.Embeddings(...parts));
}

const GLOBAL_PROJECTIONS = ['query_global', 'key_global', 'value_global'];

/** Without projections of their own, the rows of global tokens take the local ones. */
async function loadLayer(
  wasm: Run['wasm'], weights: Weights, config: LongformerConfig, prefix: string, projectsGlobal: boolean,
): Promise<Layer> {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, layer_norm_eps: eps } = config;
  const projections = async (suffix: string): Promise<Projections> => {
    const query = await weights.linear(`${prefix}.attention.self.query${suffix}`, hidden, hidden, heads);
    const key = await weights.linear(`${prefix}.attention.self.key${suffix}`, hidden, hidden, heads);
    const value = await weights.linear(`${prefix}.attention.self.value${suffix}`, hidden, hidden, heads);
    const parts = [query, key, value] as const;
    for (const part of parts) weights.release(part);
    return weights.keep(new wasm.Projections(...parts));
  };
  const local = await projections('');
  const [attentionNorm, feedForwardNorm] = config.norm_first
    ? ['attention.LayerNorm', 'intermediate.LayerNorm'] : ['attention.output.LayerNorm', 'output.LayerNorm'];
  return {
    local,
    global: projectsGlobal ? await projections('_global') : local,
    attentionOutput: await weights.linear(`${prefix}.attention.output.dense`, hidden, hidden),
    attentionNorm: await weights.layerNorm(`${prefix}.${attentionNorm}`, hidden, eps),
    intermediate: await weights.linear(`${prefix}.intermediate.dense`, hidden, inner),
    output: await weights.linear(`${prefix}.output.dense`, inner, hidden),
    feedForwardNorm: await weights.layerNorm(`${prefix}.${feedForwardNorm}`, hidden, eps),
  };
}
