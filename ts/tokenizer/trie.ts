// The tokens of a vocabulary as a tree of their UTF-16 units, for finding all that begin at a place.
//
// Children of a node lie side by side, ordered, and are found by halving: no file can choose a
// vocabulary that is slow, as it could with a hash. About 10 bytes a node, one node a unit at most.

/** The node that all tokens start from. */
export const ROOT = 0;

export class Trie {
  private readonly units: Uint16Array; // [node], what leads to it
  private readonly firstChild: Int32Array; // [node + 1]; children are numbered in the order of their parents
  private readonly values: Int32Array; // [node], -1: no token ends here
  private readonly childOfRoot = new Int32Array(0x10000).fill(-1); // [unit]

  /** `valueOf`: 0 or more. The empty token is left out. */
  constructor(tokens: Iterable<string>, valueOf: (token: string) => number) {
    const sorted = [...tokens].filter((token) => token !== '').sort();
    const count = nodesOf(sorted);
    this.units = new Uint16Array(count);
    this.firstChild = new Int32Array(count + 1);
    this.values = new Int32Array(count).fill(-1);
    // The tokens that go through a node, and the units that lead to it.
    const from = new Int32Array(count);
    const to = new Int32Array(count);
    const depth = new Uint16Array(count);
    to[ROOT] = sorted.length;
    let next = 1;
    for (let node = 0; node < count; node++) {
      this.firstChild[node] = next;
      let at = from[node]!;
      if (node !== ROOT && sorted[at]!.length === depth[node]) this.values[node] = valueOf(sorted[at++]!);
      while (at < to[node]!) {
        const unit = sorted[at]!.charCodeAt(depth[node]!);
        from[next] = at;
        while (at < to[node]! && sorted[at]!.charCodeAt(depth[node]!) === unit) at++;
        to[next] = at;
        depth[next] = depth[node]! + 1;
        this.units[next] = unit;
        if (node === ROOT) this.childOfRoot[unit] = next;
        next++;
      }
    }
    this.firstChild[count] = next;
  }

  /** The node that `unit` leads to, or -1. */
  child(node: number, unit: number): number {
    if (node === ROOT) return this.childOfRoot[unit]!;
    let low = this.firstChild[node]!;
    let high = this.firstChild[node + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.units[middle]! < unit) low = middle + 1;
      else high = middle;
    }
    return low < this.firstChild[node + 1]! && this.units[low] === unit ? low : -1;
  }

  /** The value of the token that ends at the node, or -1. */
  valueAt(node: number): number {
    return this.values[node]!;
  }
}

/** One for the root, and one for each unit of a token that the one before it does not begin with. */
function nodesOf(sorted: readonly string[]): number {
  let count = 1;
  sorted.forEach((token, i) => {
    const before = i === 0 ? '' : sorted[i - 1]!;
    let shared = 0;
    while (shared < before.length && shared < token.length && before.charCodeAt(shared) === token.charCodeAt(shared)) shared++;
    count += token.length - shared;
  });
  return count;
}
