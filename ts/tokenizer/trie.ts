// The tokens of a vocabulary as a tree of their UTF-16 units, for finding all that begin at a place.
//
// Children of a node lie side by side, ordered, and are found by halving: no file can choose a
// vocabulary that is slow, as it could with a hash. Where a single token goes on, the tree ends, and
// the rest of the token is compared.

const ROOT = 0;
const NONE = -1;

export class Trie {
  private readonly units: Uint16Array; // [node], what leads to it
  private readonly firstChild: Int32Array; // [node + 1]; children are numbered in the order of their parents
  private readonly values: Int32Array; // [node], the token that ends at a node with children, goes through one without
  private readonly childOfRoot = new Int32Array(0x10000).fill(NONE); // [unit]

  /** A token is known by its place in the list, the last of equal ones. The empty token is left out. */
  constructor(private readonly tokens: readonly string[]) {
    const order = new Order(tokens);
    const units = [0];
    const firstChild: number[] = [];
    const values: number[] = [];
    // The part of the order that goes through a node.
    const from = [0];
    const to = [tokens.length];
    let depth = 0;
    let endOfDepth = 1;
    for (let node = ROOT; node < units.length; node++) {
      if (node === endOfDepth) {
        depth++;
        endOfDepth = units.length;
      }
      firstChild.push(units.length);
      values.push(NONE);
      if (node !== ROOT && to[node]! - from[node]! === 1) {
        values[node] = order.tokenAt(from[node]!);
        continue;
      }
      order.eachUnit(from[node]!, to[node]!, depth, (unit, start, end) => {
        if (unit === NO_UNIT) {
          if (node !== ROOT) values[node] = order.tokenAt(end - 1);
          return;
        }
        if (node === ROOT) this.childOfRoot[unit] = units.length;
        units.push(unit);
        from.push(start);
        to.push(end);
      });
    }
    firstChild.push(units.length);
    this.units = Uint16Array.from(units);
    this.firstChild = Int32Array.from(firstChild);
    this.values = Int32Array.from(values);
  }

  /** Calls `found` with every token that `text` has at `start`, the shortest first, and where it ends. */
  eachAt(text: string, start: number, found: (token: number, end: number) => void): void {
    if (start === text.length) return;
    let node = this.childOfRoot[text.charCodeAt(start)]!;
    for (let end = start + 1; node !== NONE; end++) {
      const token = this.values[node]!;
      if (this.firstChild[node] === this.firstChild[node + 1]) {
        const content = this.tokens[token]!;
        if (text.startsWith(content, start)) found(token, start + content.length);
        return;
      }
      if (token !== NONE) found(token, end);
      if (end === text.length) return;
      node = this.childOf(node, text.charCodeAt(end));
    }
  }

  private childOf(node: number, unit: number): number {
    const stop = this.firstChild[node + 1]!;
    let low = this.firstChild[node]!;
    let high = stop;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.units[middle]! < unit) low = middle + 1;
      else high = middle;
    }
    return low < stop && this.units[low] === unit ? low : NONE;
  }
}

/** Where a token has ended. */
const NO_UNIT = -1;

/** A unit and the token that it is of in one number of 53 bits. */
const TOKENS = 2 ** 32;

/** The tokens, sorted unit by unit. */
class Order {
  private readonly places: Uint32Array; // places in the list of tokens
  private readonly keys: Float64Array;

  constructor(private readonly tokens: readonly string[]) {
    this.places = Uint32Array.from(tokens, (_, i) => i);
    this.keys = new Float64Array(tokens.length);
  }

  tokenAt(place: number): number {
    return this.places[place]!;
  }

  /** Sorts the part by the unit at `depth`, up to which its tokens are equal, and calls `found` with what each unit has of it. */
  eachUnit(from: number, to: number, depth: number, found: (unit: number, from: number, to: number) => void): void {
    const { tokens, places } = this;
    const keys = this.keys.subarray(0, to - from);
    for (let i = from; i < to; i++) {
      const token = tokens[places[i]!]!;
      const unit = depth < token.length ? token.charCodeAt(depth) : NO_UNIT;
      keys[i - from] = (unit - NO_UNIT) * TOKENS + places[i]!;
    }
    keys.sort();
    for (let start = 0; start < keys.length;) {
      const unit = Math.floor(keys[start]! / TOKENS);
      let end = start;
      while (end < keys.length && Math.floor(keys[end]! / TOKENS) === unit) {
        places[from + end] = keys[end]! % TOKENS;
        end++;
      }
      found(unit + NO_UNIT, from + start, from + end);
      start = end;
    }
  }
}
