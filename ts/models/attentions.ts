// What queries pay to each key, in the layout of Hugging Face for a batch of one, without padding.
//
//     attentions         [heads, rows, G + window + 1]   the G global tokens, then the window; the
//                                                        token itself in column G + window / 2
//     globalAttentions   [heads, seqLen, G]              what each global token pays to each token

import type { LayerBand } from '../config.ts';
import type { Run } from '../engine/services.ts';
import type { Tensor } from '../tensor.ts';
import type { EncoderInput, LayerAttention } from './longformer.ts';

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
export function attentionsOf(
  run: Run, { hiddenStates, local, global, batch, pattern }: LayerAttention, number: number,
  sequence: EncoderInput, band: LayerBand, queries: Uint32Array | null,
): LayerAttentions {
  const { heads, rows, cols, seqLen, globals } = sizesOf(sequence, band, queries);
  const wanted = queries ?? Uint32Array.from({ length: seqLen }, (_, position) => position);
  const ofHeads = (dims: [number, number], ofHead: (head: number) => Float32Array): Tensor => {
    const size = dims[0] * dims[1];
    const data = new Float32Array(heads * size);
    for (let head = 0; head < heads; head++) {
      run.checkAbort();
      data.set(ofHead(head), head * size);
    }
    return { dims: [heads, ...dims], data };
  };
  return {
    attentions: ofHeads([rows, cols], (head) => hiddenStates.attentions(local, batch, pattern, number, head, wanted)),
    ...(globals > 0 && {
      globalAttentions: ofHeads([seqLen, globals], (head) => hiddenStates.globalAttentions(global, batch, pattern, number, head)),
    }),
  };
}
