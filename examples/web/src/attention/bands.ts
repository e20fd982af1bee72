// Which tokens each layer and head may look at, as config.json says it.

import type { Config } from '../desk';

/** Of one layer. */
export interface Band {
  /** Tokens on each side; `attention_window` counts both together. */
  readonly oneSidedWindow: number;
  /** For each head, how far apart the tokens are that it looks at: 1 = no gaps. */
  readonly dilations: readonly number[];
  /** No token looks ahead. */
  readonly causal: boolean;
}

export function bandsOf({ num_hidden_layers, num_attention_heads, attention_window, attention_dilation = 1, autoregressive = false }: Config): Band[] {
  return Array.from({ length: num_hidden_layers }, (_, layer) => {
    const window = Array.isArray(attention_window) ? attention_window[layer]! : attention_window;
    const dilation = Array.isArray(attention_dilation) ? attention_dilation[layer]! : attention_dilation;
    return {
      oneSidedWindow: window / 2, causal: autoregressive,
      dilations: Array.isArray(dilation) ? dilation : Array<number>(num_attention_heads).fill(dilation),
    };
  });
}

/** How many tokens back and ahead a token's news comes from. */
export interface Reach {
  readonly back: number;
  readonly ahead: number;
}

/** After the first `layers` layers: through a token that heard of a token, by the heads with the widest gaps. */
export function reachAfter(bands: readonly Band[], layers: number): Reach {
  const back = bands.slice(0, layers).reduce((sum, { oneSidedWindow, dilations }) => sum + oneSidedWindow * Math.max(...dilations), 0);
  return { back, ahead: bands[0]!.causal ? 0 : back };
}
