// What queries pay to each key, in the layout of Hugging Face for a batch of one, without padding.
//
//     attentions         [heads, rows, G + window + 1]   the G global tokens, then the window; the
//                                                        token itself in column G + window / 2
//     globalAttentions   [heads, seqLen, G]              what each global token pays to each token

import type { LayerBand } from '../config.ts';
import type { Run } from '../engine/services.ts';
import { read, through } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import type { EncoderInput, LayerAttention } from './longformer.ts';
import type { AttentionWeights, Work } from '../../pkg/threads-simd128/longformer.js';

/** Whose attention is wanted. */
export interface AttentionsRequest {
  /** From 0 on. */
  readonly layers: readonly number[];
  /** Tokens of each sequence; null: all. */
  readonly queries: Uint32Array | null;
}

interface LayerAttentions {
  attentions: Tensor;
  /** Missing without global tokens. */
  globalAttentions?: Tensor;
}

interface Sizes {
  heads: number;
  rows: number;
  cols: number;
  seqLen: number;
  globals: number;
}

function sizesOf({ inputIds, globalTokens }: EncoderInput, { dilations, oneSidedWindow }: LayerBand, queries: Uint32Array | null): Sizes {
  const [seqLen, globals] = [inputIds.length, globalTokens.length];
  return { heads: dilations.length, rows: queries?.length ?? seqLen, cols: globals + 2 * oneSidedWindow + 1, seqLen, globals };
}

/** Floats of all that is wanted of one sequence. */
export function attentionsSize({ layers, queries }: AttentionsRequest, sequence: EncoderInput, bands: readonly LayerBand[]): number {
  return layers.reduce((sum, layer) => {
    const { heads, rows, cols, seqLen, globals } = sizesOf(sequence, bands[layer]!, queries);
    return sum + heads * (rows * cols + seqLen * globals);
  }, 0);
}

/** Of sequence `number` of a batch in a layer with that band, one head at a time. */
export async function attentionsOf(
  run: Run, { hiddenStates, local, global, batch, pattern }: LayerAttention, number: number,
  sequence: EncoderInput, band: LayerBand, queries: Uint32Array | null,
): Promise<LayerAttentions> {
  const { heads, rows, cols, seqLen, globals } = sizesOf(sequence, band, queries);
  const wanted = queries ?? Uint32Array.from({ length: seqLen }, (_, position) => position);
  const weights = new run.wasm.AttentionWeights();
  const ofHeads = async (dims: [number, number], ofHead: (work: Work, head: number, weights: AttentionWeights) => boolean): Promise<Tensor> => {
    const size = dims[0] * dims[1];
    const data = new Float32Array(heads * size);
    for (let head = 0; head < heads; head++) {
      await through(run, (work) => ofHead(work, head, weights));
      await read(run, weights, 0, data.subarray(head * size, (head + 1) * size));
    }
    return { dims: [heads, ...dims], data };
  };
  try {
    return {
      attentions: await ofHeads([rows, cols], (work, head, to) => hiddenStates.attentions(work, local, batch, pattern, number, head, wanted, to)),
      ...(globals > 0 && {
        globalAttentions: await ofHeads([seqLen, globals], (work, head, to) => hiddenStates.globalAttentions(work, global, batch, pattern, number, head, to)),
      }),
    };
  } finally {
    weights.free();
  }
}
