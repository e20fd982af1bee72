// What a pass spends its time on, by the names of functions.

import type { Profiler } from 'node:inspector';

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
  { part: 'packing', name: /attention::key_values|pack_|copy_rows|write_columns/ },
  { part: 'global rows', name: /attention::global/ },
  { part: 'global rows', name: /gemm::|linear::/, caller: /attention::global/ },
  { part: 'products of attention', name: /gemm::/, caller: /attention::(attention|banded)\b/ },
  { part: 'linear layers', name: /gemm::(tile|multiply|half|int8)|linear::/ },
  { part: 'attention, else', name: /attention::/ },
];

/** What is none of these. */
export const REST = 'rest';

/** Percent of the time in WebAssembly, by part. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Record<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const partOf = new Map(nodes.map((node) => [node.id, node.callFrame.url.startsWith('wasm') ? part(node.id) : null]));
  const times: Record<string, number> = Object.fromEntries([...PARTS.map(({ part }) => part), REST].map((name) => [name, 0]));
  let all = 0;
  samples.forEach((id, i) => {
    const name = partOf.get(id);
    if (name === null || name === undefined) return;
    times[name]! += timeDeltas[i]!;
    all += timeDeltas[i]!;
  });
  return Object.fromEntries(Object.entries(times).map(([name, time]) => [name, (100 * time) / all]));

  function part(leaf: number): string {
    for (let id: number | undefined = leaf; id !== undefined; id = callers.get(id)) {
      const found = PARTS.find(({ name, caller }) => name.test(nameOf(id!)) && (caller === undefined || caller.test(whoAsked(id!, name))));
      if (found) return found.part;
    }
    return REST;
  }

  /** The nearest caller of another name. */
  function whoAsked(id: number, name: RegExp): string {
    let at: number | undefined = id;
    while (at !== undefined && name.test(nameOf(at))) at = callers.get(at);
    return at === undefined ? '' : nameOf(at);
  }

  function nameOf(id: number): string {
    return byId.get(id)!.callFrame.functionName;
  }
}
