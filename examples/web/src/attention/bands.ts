// Which tokens each layer and head may look at, as config.json says it.

import type { Config } from '../desk';

/** Of one layer. */
export interface Band {
  /** Tokens on each side; `attention_window` counts both together. */
  readonly oneSidedWindow: number;
  /** For each head, how far apart the tokens are that it looks at: 1 = no gaps. */
  readonly dilations: readonly number[];
}

export function bandsOf({ num_hidden_layers, num_attention_heads, attention_window, attention_dilation = 1 }: Config): Band[] {
  return Array.from({ length: num_hidden_layers }, (_, layer) => {
    const window = Array.isArray(attention_window) ? attention_window[layer]! : attention_window;
    const dilation = Array.isArray(attention_dilation) ? attention_dilation[layer]! : attention_dilation;
    return { oneSidedWindow: window / 2, dilations: Array.isArray(dilation) ? dilation : Array<number>(num_attention_heads).fill(dilation) };
  });
}

/** Tokens on each side that a word has heard of after the first `layers` layers: through a word that heard of a word. */
export function reachAfter(bands: readonly Band[], layers: number): number {
  return bands.slice(0, layers).reduce((sum, { oneSidedWindow, dilations }) => sum + oneSidedWindow * Math.max(...dilations), 0);
}
