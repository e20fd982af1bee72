// Models in the engine's worker: loaded, run and given back by number.

import { bandsOf, readConfig, type LongformerConfig } from '../config.ts';
import { LongformerError } from '../errors.ts';
import { openSafetensors } from '../files/safetensors.ts';
import { openSource } from '../files/open.ts';
import type { Source } from '../files/source.ts';
import type { Run } from '../engine/services.ts';
import { Longformer, type EncoderInput } from './longformer.ts';
import { Weights } from './weights.ts';

/** What the caller's side keeps of a loaded model. */
export interface LoadedModel {
  id: number;
  config: LongformerConfig;
}

/** What one call of `forward` asks for. */
export interface ForwardRequest {
  sequences: EncoderInput[];
  /** Rows wanted of the last hidden states; null: all. */
  positions: Uint32Array | null;
  /** Which of the `num_hidden_layers + 1` hidden states are wanted. */
  hiddenStates: number[];
  attentionWindow: number | number[] | null;
  maxBatchTokens: number;
}

/** The results of one sequence, `[rows, hidden_size]` each. */
export interface SequenceResult {
  lastHiddenState: Float32Array;
  hiddenStates: Float32Array[];
  poolerOutput: Float32Array | null;
}

const models = new Map<number, Longformer>();
let lastId = 0;

/** Prefixes under which checkpoints keep the encoder: none, HF's heads, AI2's own tarballs. */
const PREFIXES = ['', 'longformer.', 'roberta.'];

/** Loads the encoder of a checkpoint. `location`: a path or URL, or null for files of the caller's. */
export async function loadModel(run: Run, location: string | null): Promise<LoadedModel> {
  const source = location === null ? run.callerFiles : await openSource(location);
  const config = await readConfig(source);
  if (config.norm_first) {
    throw new LongformerError('BAD_FILE', `${source.label}/config.json: norm_first`, 'must be false, layer norm before attention is not supported');
  }
  const model = await loadEncoder(run, source, config);
  models.set(++lastId, model);
  return { id: lastId, config };
}

async function loadEncoder(run: Run, source: Source, config: LongformerConfig): Promise<Longformer> {
  const file = await source.open('model.safetensors');
  if (file === null) throw new LongformerError('NOT_FOUND', `${source.label}/model.safetensors`, 'must be there, is not');
  const files = await openSafetensors(file);
  try {
    const words = 'embeddings.word_embeddings.weight';
    const prefix = PREFIXES.find((prefix) => files.tensors.has(prefix + words)) ?? '';
    return await Longformer.load(run, new Weights(run, files, prefix), config);
  } finally {
    await files.close();
  }
}

/** The model of that number. For the services of this worker. */
export function modelOf(id: number): Longformer {
  const model = models.get(id);
  if (model === undefined) throw new LongformerError('BAD_INPUT', 'the model', 'was disposed');
  return model;
}

export function forwardModel(run: Run, id: number, request: ForwardRequest): SequenceResult[] {
  const model = modelOf(id);
  const bands = bandsOf(model.config, request.attentionWindow ?? undefined);
  const groups = groupByTokens(request.sequences, request.maxBatchTokens);
  const layers = model.config.num_hidden_layers;
  return groups.flatMap((group, index) => {
    const results: SequenceResult[] = group.map(() => ({ lastHiddenState: new Float32Array(), hiddenStates: [], poolerOutput: null }));
    const starts = startsOf(group);
    const hiddenStates = model.forward(run, group, bands, (layer, states) => {
      run.progress({ stage: 'forward', done: index * layers + layer, total: groups.length * layers, unit: 'layers' });
      if (!request.hiddenStates.includes(layer)) return;
      for (const [i, { inputIds }] of group.entries()) results[i]!.hiddenStates.push(states.read(starts[i]!, inputIds.length));
    });
    try {
      for (const [i, result] of results.entries()) {
        const [start, length] = [starts[i]!, group[i]!.inputIds.length];
        result.lastHiddenState = request.positions === null ? hiddenStates.read(start, length)
          : readRows(hiddenStates, start, request.positions, model.config.hidden_size);
        if (model.hasPooler) result.poolerOutput = model.pool(hiddenStates, start);
      }
    } finally {
      hiddenStates.free();
    }
    return results;
  });
}

export function disposeModel(_run: Run, id: number): void {
  models.get(id)?.free();
  models.delete(id);
}

/** Consecutive sequences, as many as fit together; one that is too long by itself goes alone. */
export function groupByTokens<S extends { readonly inputIds: Uint32Array }>(sequences: readonly S[], maxTokens: number): S[][] {
  const groups: S[][] = [];
  let tokens = Infinity;
  for (const sequence of sequences) {
    tokens += sequence.inputIds.length;
    if (tokens > maxTokens) {
      groups.push([]);
      tokens = sequence.inputIds.length;
    }
    groups.at(-1)!.push(sequence);
  }
  return groups;
}

/** Where each sequence begins among the rows of its group. */
export function startsOf(group: readonly { readonly inputIds: Uint32Array }[]): number[] {
  let next = 0;
  return group.map(({ inputIds }) => {
    const start = next;
    next += inputIds.length;
    return start;
  });
}

function readRows(
  hiddenStates: { read(first: number, rows: number): Float32Array }, start: number, positions: Uint32Array, hidden: number,
): Float32Array {
  const rows = new Float32Array(positions.length * hidden);
  for (const [i, position] of positions.entries()) rows.set(hiddenStates.read(start + position, 1), i * hidden);
  return rows;
}
