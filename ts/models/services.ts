// Models in the engine's worker: loaded, run and given back by number.

import { bandsOf, readConfig, type LayerBand, type LongformerConfig } from '../config.ts';
import type { Dtype } from '../dtype.ts';
import { LongformerError } from '../errors.ts';
import { openCheckpoint } from '../files/checkpoint.ts';
import type { Location } from '../files/source-options.ts';
import type { Source } from '../files/source.ts';
import { quoted } from '../quoted.ts';
import type { Run } from '../engine/services.ts';
import { read } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import { attentionsOf as layerAttentions, attentionsSize, type AttentionsRequest } from './attentions.ts';
import { groupByTokens, startsOf } from './groups.ts';
import type { Head, SequenceRows } from './head.ts';
import { heads, type Architecture, type ModelOutput } from './heads.ts';
import { Longformer, type EncoderInput } from './longformer.ts';
import { findPrefix, firstPosition } from './prefix.ts';
import { Weights } from './weights.ts';

/** What the caller's side keeps of a loaded model. */
export interface LoadedModel {
  id: number;
  architecture: Architecture;
  dtype: Dtype;
  /** What its weights hold in the engine. */
  weightBytes: number;
  /** Tokens of the longest text that it has positions for. */
  maxTokens: number;
  config: LongformerConfig;
}

/** How a model is loaded. */
export interface ModelSettings {
  /** null: the config's. */
  attentionWindow: number | number[] | null;
  dtype: Dtype;
  /** Parts of the names of what stays in single precision. */
  modulesToNotConvert: readonly string[];
}

/** A sequence as it comes from the caller, checked. */
export interface SequenceInput extends Omit<EncoderInput, 'globalTokens'> {
  /** Null: those that the head chooses. */
  readonly globalTokens: Uint32Array | null;
}

/** What one call of `forward` asks for. */
export interface ForwardRequest {
  sequences: SequenceInput[];
  /** Tokens of each sequence whose rows are wanted; null: all. */
  positions: Uint32Array | null;
  /** Which of the `num_hidden_layers + 1` hidden states are wanted. */
  hiddenStates: number[];
  attentions: AttentionsRequest;
  attentionWindow: number | number[] | null;
  maxBatchTokens: number;
}

/** Which attention is to be looked at. */
export interface AttentionRequest {
  sequence: SequenceInput;
  /** From 0 on. */
  layer: number;
  /** The token that attends. */
  position: number;
  attentionWindow: number | number[] | null;
}

/** What a call may ask for besides. */
export interface LayerOutputs {
  /** `[seqLen, hidden_size]` each: `num_hidden_layers + 1` of them, or the layers asked for. */
  hiddenStates?: Tensor[];
  /**
   * `[num_attention_heads, rows, G + attention_window + 1]` for each layer, with G global tokens:
   * the weights that a token gives to them, then to the tokens of its window, itself in column
   * `G + attention_window / 2`; under a dilation `d` neighbouring columns are `d` tokens apart. 0
   * where the window ends, and for masked or global tokens in it. Rows of global tokens are 0.
   */
  attentions?: Tensor[];
  /** `[num_attention_heads, seqLen, G]` for each layer: the weights that each global token gives to each token. Missing without global tokens. */
  globalAttentions?: Tensor[];
}

interface Model {
  encoder: Longformer;
  head: Head<ModelOutput>;
  weights: Weights;
}

/** Of one call, on the JavaScript side: an array of more may not be had, and that would end the engine. */
const MAX_RESULT_BYTES = 2 ** 31;

const models = new Map<number, Model>();
let lastId = 0;

/** `loadModelFrom` a location; null for files of the caller's. */
export async function loadModel(run: Run, wanted: Architecture | null, location: Location | null, settings: ModelSettings): Promise<LoadedModel> {
  return loadModelFrom(run, wanted, await run.open(location), settings);
}

/**
 * Loads a checkpoint as a model of the class `wanted`, or of the one that config.json names. An
 * `attentionWindow` that does not fit the config is refused now, not when the first call comes.
 */
export async function loadModelFrom(
  run: Run, wanted: Architecture | null, source: Source, { attentionWindow, dtype, modulesToNotConvert }: ModelSettings,
): Promise<LoadedModel> {
  const config = await readConfig(source);
  const architecture = wanted ?? architectureOf(config, source.label);
  bandsOf(config, attentionWindow ?? undefined);
  const files = await openCheckpoint(source);
  let weights: Weights | undefined;
  try {
    weights = new Weights(run, files, dtype, modulesToNotConvert);
    const prefix = findPrefix(weights);
    weights.expect(prefix);
    const checkpoint = { label: source.label, config, weights, prefix, firstPosition: firstPosition(prefix, config) };
    const encoder = await Longformer.load(run, checkpoint);
    const head = await heads[architecture](checkpoint);
    weights.finish();
    const id = ++lastId;
    models.set(id, { encoder, head, weights });
    run.onEnd(() => models.delete(id));
    return { id, architecture, dtype, weightBytes: weights.bytes, maxTokens: encoder.maxTokens, config };
  } catch (error) {
    weights?.free();
    throw error;
  } finally {
    await files.close();
  }
}

/** The encoder of the model of that number. For the services of this worker. */
export function encoderOf(id: number): Longformer {
  return modelOf(id).encoder;
}

/** The model of that number. For the services of this worker. */
export function modelOf(id: number): Model {
  const model = models.get(id);
  if (model === undefined) throw new LongformerError('BAD_INPUT', 'the model', 'was disposed');
  return model;
}

export async function forwardModel(run: Run, id: number, request: ForwardRequest): Promise<(ModelOutput & LayerOutputs)[]> {
  const { encoder, head } = modelOf(id);
  const bands = bandsOf(encoder.config, request.attentionWindow ?? undefined);
  const { num_hidden_layers: layers, hidden_size: hidden } = encoder.config;
  const inputs = request.sequences.map((sequence) => withGlobalTokens(sequence, head));
  checkSize(request, inputs, head, hidden, bands);
  const { layers: attentionLayers, queries } = request.attentions;
  const groups = groupByTokens(inputs, request.maxBatchTokens);
  const results: (ModelOutput & LayerOutputs)[] = [];
  for (const [index, group] of groups.entries()) {
    const sequences = rowsOf(group, request.positions);
    const outputs = group.map(({ globalTokens }): LayerOutputs => ({
      ...(request.hiddenStates.length > 0 && { hiddenStates: [] }),
      ...(attentionLayers.length > 0 && { attentions: [], ...(globalTokens.length > 0 && { globalAttentions: [] }) }),
    }));
    const hiddenStates = await encoder.forward(run, group, bands, async (layer, states) => {
      run.progress({ stage: 'forward', done: index * layers + layer, total: groups.length * layers, unit: 'layers' });
      if (!request.hiddenStates.includes(layer)) return;
      for (const [i, { start, length }] of sequences.entries()) {
        const data = await read(run, states, start * hidden, new Float32Array(length * hidden));
        outputs[i]!.hiddenStates!.push({ dims: [length, hidden], data });
      }
    }, async (layer, attention) => {
      if (!attentionLayers.includes(layer)) return;
      for (const [i, sequence] of group.entries()) {
        const { attentions, globalAttentions } = await layerAttentions(run, attention, i, sequence, bands[layer]!, queries);
        outputs[i]!.attentions!.push(attentions);
        if (globalAttentions !== undefined) outputs[i]!.globalAttentions!.push(globalAttentions);
      }
    });
    try {
      for (const [i, rows] of sequences.entries()) results.push({ ...await head.output(run, hiddenStates, rows), ...outputs[i]! });
    } finally {
      hiddenStates.free();
    }
  }
  return results;
}

/** What one token pays to each, `[num_attention_heads, seqLen]`. */
export async function attentionOf(
  run: Run, id: number, { sequence, layer, position, attentionWindow }: AttentionRequest,
): Promise<Float32Array> {
  const { encoder, head } = modelOf(id);
  const bands = bandsOf(encoder.config, attentionWindow ?? undefined);
  return encoder.attentionOf(run, withGlobalTokens(sequence, head), bands, layer, position, (done) => {
    run.progress({ stage: 'forward', done, total: layer, unit: 'layers' });
  });
}

export function disposeModel(_run: Run, id: number): void {
  models.get(id)?.weights.free();
  models.delete(id);
}

/** The class that config.json names, the base model where it names none. */
function architectureOf({ architectures }: LongformerConfig, label: string): Architecture {
  const [name = 'LongformerModel'] = architectures;
  // AI2's own code keeps the names of the model that it started from. BERT's other heads have other tensors.
  const longformer = name.replace(/^Roberta(Long)?(?=Model$|For)|^Bert(Long)?(?=(Model|For(TokenClassification|QuestionAnswering|MultipleChoice))$)/, 'Longformer');
  if (Object.hasOwn(heads, longformer)) return longformer as Architecture;
  throw new LongformerError('BAD_FILE', `${label}/config.json: architectures`,
    `must name one of ${Object.keys(heads).join(', ')}, names ${quoted(name)}`);
}

/** A flag on a masked token counts for nothing, as in Hugging Face. */
function withGlobalTokens(sequence: SequenceInput, head: Head<ModelOutput>): EncoderInput {
  const globalTokens = sequence.globalTokens ?? head.globalTokens?.(sequence.inputIds) ?? new Uint32Array();
  const masked = new Set(sequence.masked);
  return { ...sequence, globalTokens: globalTokens.filter((token) => !masked.has(token)) };
}

/** Refuses before the pass what could not be given behind it. */
function checkSize(
  { positions, hiddenStates, attentions }: ForwardRequest, inputs: readonly EncoderInput[],
  head: Head<ModelOutput>, hidden: number, bands: readonly LayerBand[],
): void {
  const bytes = 4 * inputs.reduce((sum, input) => {
    const { length } = input.inputIds;
    return sum + head.size(positions?.length ?? length, length) + length * hiddenStates.length * hidden
      + attentionsSize(attentions, input, bands);
  }, 0);
  if (bytes > MAX_RESULT_BYTES) {
    throw new LongformerError('OUT_OF_MEMORY', 'the result', `must have at most ${MAX_RESULT_BYTES} bytes, would have ${bytes}: ask for fewer positions, queries, layers or sequences`);
  }
}

function rowsOf(group: readonly EncoderInput[], positions: Uint32Array | null): SequenceRows[] {
  const starts = startsOf(group);
  return group.map(({ inputIds: { length } }, i) => {
    const start = starts[i]!;
    const wanted = positions === null ? Uint32Array.from({ length }, (_, row) => start + row) : positions.map((position) => start + position);
    return { start, length, wanted };
  });
}
