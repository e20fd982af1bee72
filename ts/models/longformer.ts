// The Longformer encoder: weights and forward pass, in the order in which the data flows.
//
// The numbers are those of `LongformerModel` in Hugging Face transformers; config fields and
// weights carry their names. A batch is ragged: sequences side by side, without padding.

import { LongformerError } from '../errors.ts';
import type { Run } from '../engine/services.ts';
import type { LayerBand, LongformerConfig } from '../config.ts';
import type { Weights } from './weights.ts';
import type {
  Batch, Embeddings, HiddenStates, LayerNorm, Linear, Pattern, Projections,
} from '../../pkg/threads-simd128/longformer.js';

/** One sequence, checked: every id fits its table, every list is ascending. */
export interface EncoderInput {
  readonly inputIds: Uint32Array;
  readonly tokenTypeIds: Uint32Array;
  readonly globalTokens: Uint32Array;
  /** Positions that no query sees. */
  readonly masked: Uint32Array;
}

interface Layer {
  local: Projections; // query, key, value
  global: Projections; // the same, for the rows of global tokens
  attentionOutput: Linear;
  attentionNorm: LayerNorm;
  intermediate: Linear;
  output: Linear;
  outputNorm: LayerNorm;
}

export class Longformer {
  readonly config: LongformerConfig;
  readonly #wasm: Run['wasm'];
  readonly #weights: Weights;
  readonly #embeddings: Embeddings;
  readonly #layers: Layer[];
  readonly #pooler: Linear | null;

  private constructor(
    wasm: Run['wasm'], config: LongformerConfig, weights: Weights, embeddings: Embeddings, layers: Layer[], pooler: Linear | null,
  ) {
    this.#wasm = wasm;
    this.config = config;
    this.#weights = weights;
    this.#embeddings = embeddings;
    this.#layers = layers;
    this.#pooler = pooler;
  }

  /** Takes the weights over, and frees them if one is missing or does not fit the config. */
  static async load({ wasm }: Run, weights: Weights, config: LongformerConfig): Promise<Longformer> {
    try {
      const embeddings = await loadEmbeddings(wasm, weights, config);
      const layers: Layer[] = [];
      for (let layer = 0; layer < config.num_hidden_layers; layer++) {
        layers.push(await loadLayer(wasm, weights, config, `encoder.layer.${layer}`));
      }
      const hidden = config.hidden_size;
      const pooler = weights.has('pooler.dense.weight') ? await weights.linear('pooler.dense', hidden, hidden) : null;
      return new Longformer(wasm, config, weights, embeddings, layers, pooler);
    } catch (error) {
      weights.free();
      throw error;
    }
  }

  /** Whether the checkpoint has a pooler. */
  get hasPooler(): boolean {
    return this.#pooler !== null;
  }

  /**
   * Runs all layers over sequences side by side.
   *
   * @param bands which keys each layer's heads see
   * @param afterLayer called with the embeddings as layer 0, then with every layer's result
   * @returns the last hidden states, `[all tokens, hidden_size]`; the caller frees them
   */
  forward(
    run: Run, sequences: readonly EncoderInput[], bands: readonly LayerBand[], afterLayer: (layer: number, hiddenStates: HiddenStates) => void,
  ): HiddenStates {
    const batch = new this.#wasm.Batch();
    const context = new this.#wasm.Context();
    let hiddenStates: HiddenStates | null = null;
    try {
      for (const { inputIds, globalTokens, masked } of sequences) batch.push(inputIds.length, globalTokens, masked);
      hiddenStates = this.#embed(sequences);
      afterLayer(0, hiddenStates);
      for (const [index, layer] of this.#layers.entries()) {
        run.checkAbort();
        const { oneSidedWindow, dilations } = bands[index]!;
        const pattern = new this.#wasm.Pattern(oneSidedWindow, Uint32Array.from(dilations), this.config.autoregressive);
        try {
          this.#encode(layer, hiddenStates, batch, pattern, context);
        } finally {
          pattern.free();
        }
        afterLayer(index + 1, hiddenStates);
      }
      return hiddenStates;
    } catch (error) {
      hiddenStates?.free();
      throw error;
    } finally {
      context.free();
      batch.free();
    }
  }

  /** `tanh(pooler(row))`, `[hidden_size]`. */
  pool(hiddenStates: HiddenStates, row: number): Float32Array {
    return hiddenStates.pooler(row, this.#pooler!);
  }

  free(): void {
    this.#weights.free();
  }

  #embed(sequences: readonly EncoderInput[]): HiddenStates {
    const ids = concatenate(sequences.map(({ inputIds }) => inputIds));
    const positions = concatenate(sequences.map(({ inputIds }) => positionIds(inputIds, this.config)));
    const types = concatenate(sequences.map(({ tokenTypeIds }) => tokenTypeIds));
    return this.#embeddings.forward(ids, positions, types);
  }

  #encode(layer: Layer, hiddenStates: HiddenStates, batch: Batch, pattern: Pattern, context: InstanceType<Run['wasm']['Context']>): void {
    hiddenStates.attend(layer.local, layer.global, batch, pattern, context);
    hiddenStates.addAndNorm(context, layer.attentionOutput, layer.attentionNorm);
    hiddenStates.feedForward(layer.intermediate, layer.output, layer.outputNorm);
  }
}

/**
 * Positions as Hugging Face counts them: the first token gets `pad_token_id + 1`, a padding id
 * gets `pad_token_id` and is not counted (`create_position_ids_from_input_ids`).
 */
export function positionIds(inputIds: Uint32Array, config: LongformerConfig): Uint32Array {
  const { pad_token_id: pad, max_position_embeddings: rows } = config;
  let last = pad;
  const positions = inputIds.map((id) => (id === pad ? pad : ++last));
  if (last >= rows) {
    throw new LongformerError('BAD_INPUT', 'inputIds', `must have at most ${rows - pad - 1} tokens, the checkpoint has no more positions; got ${last - pad}`);
  }
  return positions;
}

async function loadEmbeddings(wasm: Run['wasm'], weights: Weights, config: LongformerConfig): Promise<Embeddings> {
  const { hidden_size: hidden } = config;
  const words = await weights.table('embeddings.word_embeddings', config.vocab_size, hidden);
  const positions = await weights.table('embeddings.position_embeddings', config.max_position_embeddings, hidden);
  const tokenTypes = await weights.table('embeddings.token_type_embeddings', config.type_vocab_size, hidden);
  const norm = await weights.layerNorm('embeddings.LayerNorm', hidden, config.layer_norm_eps);
  const parts = [words, positions, tokenTypes, norm] as const;
  for (const part of parts) weights.release(part);
  return weights.keep(new wasm.Embeddings(...parts));
}

async function loadLayer(wasm: Run['wasm'], weights: Weights, config: LongformerConfig, prefix: string): Promise<Layer> {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, layer_norm_eps: eps } = config;
  const projections = async (suffix: string): Promise<Projections> => {
    const query = await weights.linear(`${prefix}.attention.self.query${suffix}`, hidden, hidden, heads);
    const key = await weights.linear(`${prefix}.attention.self.key${suffix}`, hidden, hidden, heads);
    const value = await weights.linear(`${prefix}.attention.self.value${suffix}`, hidden, hidden, heads);
    const parts = [query, key, value] as const;
    for (const part of parts) weights.release(part);
    return weights.keep(new wasm.Projections(...parts));
  };
  return {
    local: await projections(''),
    global: await projections('_global'),
    attentionOutput: await weights.linear(`${prefix}.attention.output.dense`, hidden, hidden),
    attentionNorm: await weights.layerNorm(`${prefix}.attention.output.LayerNorm`, hidden, eps),
    intermediate: await weights.linear(`${prefix}.intermediate.dense`, hidden, inner),
    output: await weights.linear(`${prefix}.output.dense`, inner, hidden),
    outputNorm: await weights.layerNorm(`${prefix}.output.LayerNorm`, hidden, eps),
  };
}

function concatenate(arrays: Uint32Array[]): Uint32Array {
  if (arrays.length === 1) return arrays[0]!;
  const whole = new Uint32Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
