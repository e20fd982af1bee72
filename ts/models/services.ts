// Models in the engine's worker: loaded, run and given back by number.

import { bandsOf, readConfig, type LongformerConfig } from '../config.ts';
import { LongformerError } from '../errors.ts';
import { openCheckpoint } from '../files/checkpoint.ts';
import type { Location } from '../files/source-options.ts';
import type { Run } from '../engine/services.ts';
import type { Tensor } from '../tensor.ts';
import { groupByTokens, startsOf } from './groups.ts';
import type { Head, SequenceRows } from './head.ts';
import { heads, type Architecture, type ModelOutput } from './heads.ts';
import { Longformer, type EncoderInput } from './longformer.ts';
import { findPrefix, firstPosition } from './prefix.ts';
import { Weights } from './weights.ts';

/** What the caller's side keeps of a loaded model. */
export interface LoadedModel {
  id: number;
  config: LongformerConfig;
}

/** What one call of `forward` asks for. */
export interface ForwardRequest {
  sequences: EncoderInput[];
  /** Tokens of each sequence whose rows are wanted; null: all. */
  positions: Uint32Array | null;
  /** Which of the `num_hidden_layers + 1` hidden states are wanted. */
  hiddenStates: number[];
  attentionWindow: number | number[] | null;
  maxBatchTokens: number;
}

/** Which attention is to be looked at. */
export interface AttentionRequest {
  sequence: EncoderInput;
  /** From 0 on. */
  layer: number;
  /** The token that attends. */
  position: number;
  attentionWindow: number | number[] | null;
}

/** What a call may ask for besides. */
export interface HiddenStatesOutput {
  /** `[seqLen, hidden_size]` each: `num_hidden_layers + 1` of them, or the layers asked for. */
  hiddenStates?: Tensor[];
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

/**
 * Loads a checkpoint. `location`: null for files of the caller's. An
 * `attentionWindow` that does not fit the config is refused now, not when the first call comes.
 */
export async function loadModel(
  run: Run, architecture: Architecture, location: Location | null, attentionWindow: number | number[] | null,
): Promise<LoadedModel> {
  const source = await run.open(location);
  const config = await readConfig(source);
  bandsOf(config, attentionWindow ?? undefined);
  const files = await openCheckpoint(source);
  const weights = new Weights(run, files);
  try {
    const prefix = findPrefix(weights);
    const checkpoint = { label: source.label, config, weights, prefix, firstPosition: firstPosition(prefix, config) };
    const encoder = await Longformer.load(run, checkpoint);
    const head = await heads[architecture](checkpoint);
    weights.finish();
    models.set(++lastId, { encoder, head, weights });
    return { id: lastId, config };
  } catch (error) {
    weights.free();
    throw error;
  } finally {
    await files.close();
  }
}

/** The encoder of the model of that number. For the services of this worker. */
export function encoderOf(id: number): Longformer {
  return modelOf(id).encoder;
}

function modelOf(id: number): Model {
  const model = models.get(id);
  if (model === undefined) throw new LongformerError('BAD_INPUT', 'the model', 'was disposed');
  return model;
}

export function forwardModel(run: Run, id: number, request: ForwardRequest): (ModelOutput & HiddenStatesOutput)[] {
  const { encoder, head } = modelOf(id);
  const bands = bandsOf(encoder.config, request.attentionWindow ?? undefined);
  const { num_hidden_layers: layers, hidden_size: hidden } = encoder.config;
  checkSize(request, head.cols, hidden);
  const groups = groupByTokens(request.sequences, request.maxBatchTokens);
  return groups.flatMap((group, index) => {
    const sequences = rowsOf(group, request.positions);
    const wantedLayers: Tensor[][] = sequences.map(() => []);
    const hiddenStates = encoder.forward(run, group, bands, (layer, states) => {
      run.progress({ stage: 'forward', done: index * layers + layer, total: groups.length * layers, unit: 'layers' });
      if (!request.hiddenStates.includes(layer)) return;
      for (const [i, { start, length }] of sequences.entries()) {
        wantedLayers[i]!.push({ dims: [length, hidden], data: states.read(start, length) });
      }
    });
    try {
      return sequences.map((rows, i) => ({
        ...head.output(run, hiddenStates, rows),
        ...(request.hiddenStates.length > 0 && { hiddenStates: wantedLayers[i]! }),
      }));
    } finally {
      hiddenStates.free();
    }
  });
}

/** What one token pays to each, `[num_attention_heads, seqLen]`. */
export function attentionOf(run: Run, id: number, { sequence, layer, position, attentionWindow }: AttentionRequest): Float32Array {
  const { encoder } = modelOf(id);
  const bands = bandsOf(encoder.config, attentionWindow ?? undefined);
  return encoder.attentionOf(run, sequence, bands, layer, position, (done) => {
    run.progress({ stage: 'forward', done, total: layer, unit: 'layers' });
  });
}

export function disposeModel(_run: Run, id: number): void {
  models.get(id)?.weights.free();
  models.delete(id);
}

/** Refuses before the pass what could not be given behind it. */
function checkSize({ sequences, positions, hiddenStates }: ForwardRequest, cols: number, hidden: number): void {
  const tokens = sequences.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
  const rows = positions === null ? tokens : sequences.length * positions.length;
  const bytes = 4 * (rows * cols + tokens * hiddenStates.length * hidden);
  if (bytes > MAX_RESULT_BYTES) {
    throw new LongformerError('OUT_OF_MEMORY', 'the result', `must have at most ${MAX_RESULT_BYTES} bytes, would have ${bytes}: ask for fewer positions, layers or sequences`);
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
