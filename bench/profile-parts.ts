// What a pass spends its time on, by the names of functions.

/**
 * What a function is for, by its name; of products, by who asked for them, too. The first that fits
 * counts, and what fits none is for what its caller is for: compilers put functions into others, GELU into
 * the feed-forward block.
 */
export const PARTS: readonly { part: string; name: RegExp; caller?: RegExp }[] = [
  { part: 'softmax', name: /::softmax::/ },
  { part: 'GELU', name: /::gelu|feed_forward::feed_forward/ },
  { part: 'norms, sums', name: /layer_norm|columns::add/ },
  { part: 'quantising', name: /quantize_row|columns::quantize/ },
  { part: 'global rows', name: /attention::global/ },
  { part: 'products of attention', name: /gemm::(tile|multiply)/, caller: /attention::attention/ },
  { part: 'linear layers', name: /gemm::(tile|multiply|half|int8)|linear::/ },
  { part: 'packing', name: /attention::panels|pack_|copy_rows/ },
  { part: 'attention, else', name: /attention::/ },
];
/** What is none of these. */
export const REST = 'rest';
