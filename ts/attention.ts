// The attention operation by itself: its arguments, checked before they travel.

import { checkBoolean, checkNames, checkObject, type Names } from './arguments.ts';
import { buffersOf } from './engine/protocol.ts';
import { LongformerError } from './errors.ts';
import { quoted } from './quoted.ts';

/** Vectors and pattern of one attention. Queries, keys and values: `[seqLen, numHeads, headDim]`. */
export interface AttentionInput {
  query: Float32Array;
  key: Float32Array;
  value: Float32Array;
  seqLen: number;
  numHeads: number;
  headDim: number;
  /** Keys per side; the query itself always counts. Half of a config's `attention_window`. */
  oneSidedWindow: number;
  /** Distance between the keys of a window: a number, or one per head. Default 1, no gaps. */
  dilation?: number | ArrayLike<number>;
  /** No query sees a later key, global ones included. Default false. */
  causal?: boolean;
  /** Ascending positions, seen by every query and seeing every key. Default none. */
  globalTokens?: ArrayLike<number>;
  /** Projections for the rows of global tokens; of `queryGlobal` only those rows are read. Default: query, key, value. */
  queryGlobal?: Float32Array;
  keyGlobal?: Float32Array;
  valueGlobal?: Float32Array;
  /** `[seqLen]`; 0: no query sees this key, its own context is 0, a global flag there is ignored. */
  keyMask?: ArrayLike<number>;
  /** Gives the input buffers away instead of copying them. Default false. */
  transfer?: boolean;
}

const ATTENTION_INPUT: Names<AttentionInput> = {
  query: true, key: true, value: true, seqLen: true, numHeads: true, headDim: true, oneSidedWindow: true, dilation: true, causal: true,
  globalTokens: true, queryGlobal: true, keyGlobal: true, valueGlobal: true, keyMask: true, transfer: true,
};

/** The same, complete and checked, and copied where it is not given away, as it travels to the engine. */
export interface CheckedAttention {
  local: [query: Float32Array, key: Float32Array, value: Float32Array];
  /** Null where the local ones serve. */
  global: [query: Float32Array, key: Float32Array, value: Float32Array] | null;
  seqLen: number;
  headDim: number;
  oneSidedWindow: number;
  dilations: Uint32Array;
  causal: boolean;
  globalTokens: Uint32Array;
  masked: Uint32Array;
}

/** Checks everything. Throws `BAD_INPUT` naming the argument, the rule and the offender. */
export function checkAttention(input: AttentionInput): {
  args: CheckedAttention; transfer: ArrayBuffer[]; dims: number[];
} {
  checkObject(input, 'the input');
  checkNames('engine.attention', input, ATTENTION_INPUT);
  const { query, key, value } = input;
  const seqLen = positive('seqLen', input.seqLen);
  const numHeads = positive('numHeads', input.numHeads);
  const headDim = positive('headDim', input.headDim);
  const dims = [seqLen, numHeads, headDim];
  const { queryGlobal = query, keyGlobal = key, valueGlobal = value } = input;
  const vectors = { query, key, value, queryGlobal, keyGlobal, valueGlobal };
  for (const [name, data] of Object.entries(vectors)) {
    if (!(data instanceof Float32Array)) throw new LongformerError('BAD_INPUT', name, 'must be a Float32Array');
    if (data.length !== seqLen * numHeads * headDim) {
      throw new LongformerError('BAD_INPUT', name, `must have seqLen * numHeads * headDim = ${seqLen * numHeads * headDim} elements, has ${data.length}`);
    }
  }
  if (input.transfer === true && Object.values(vectors).some(({ buffer }) => !(buffer instanceof ArrayBuffer))) {
    throw new LongformerError('BAD_INPUT', 'transfer', 'must be false for shared memory, which cannot be given away');
  }
  // Copies of our own: of the elements alone, not of whole buffers, and of shared memory too.
  const copies = new Map<Float32Array, Float32Array<ArrayBuffer>>();
  const own = (data: Float32Array): Float32Array<ArrayBuffer> => {
    if (input.transfer === true) return data as Float32Array<ArrayBuffer>;
    if (!copies.has(data)) copies.set(data, data.slice());
    return copies.get(data)!;
  };
  const separate = queryGlobal !== query || keyGlobal !== key || valueGlobal !== value;
  const args: CheckedAttention = {
    local: [own(query), own(key), own(value)],
    global: separate ? [own(queryGlobal), own(keyGlobal), own(valueGlobal)] : null,
    seqLen,
    headDim,
    oneSidedWindow: integer('oneSidedWindow', input.oneSidedWindow, 0),
    dilations: dilationsOf(input.dilation ?? 1, numHeads),
    causal: checkBoolean(input.causal ?? false, 'causal'),
    globalTokens: checkPositions('globalTokens', input.globalTokens ?? [], seqLen),
    masked: maskedPositions(input.keyMask, seqLen),
  };
  return { args, transfer: buffersOf([args.local, args.global]), dims };
}

/** Refuses what is no array or typed array: a set or a number would pass for an empty list. */
export function checkList(name: string, list: ArrayLike<number>): void {
  if (!Array.isArray(list) && !(ArrayBuffer.isView(list) && 'length' in list)) {
    throw new LongformerError('BAD_INPUT', name, `must be an array or a typed array, got ${quoted(list)}`);
  }
}

/** Ascending positions below `seqLen`, as they travel. */
export function checkPositions(name: string, positions: ArrayLike<number>, seqLen: number): Uint32Array {
  checkList(name, positions);
  const checked = new Uint32Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (!Number.isInteger(position) || position < 0 || position >= seqLen) {
      throw new LongformerError('BAD_INPUT', `${name}[${i}]`, `must be a position below ${seqLen}, got ${typeof position === 'number' ? position : quoted(position)}`);
    }
    if (i > 0 && position <= positions[i - 1]!) {
      throw new LongformerError('BAD_INPUT', `${name}[${i}]`, `must be above the one before it, ${positions[i - 1]}, got ${position}`);
    }
    checked[i] = position;
  }
  return checked;
}

/** The positions where a mask is 0. */
export function maskedPositions(keyMask: ArrayLike<number> | undefined, seqLen: number): Uint32Array {
  if (keyMask === undefined) return new Uint32Array();
  checkList('keyMask', keyMask);
  if (keyMask.length !== seqLen) {
    throw new LongformerError('BAD_INPUT', 'keyMask', `must have an element per token, ${seqLen}, has ${keyMask.length}`);
  }
  const masked: number[] = [];
  for (let i = 0; i < seqLen; i++) {
    const keep = Number(keyMask[i]); // true and false will do as well
    if (keep !== 0 && keep !== 1) throw new LongformerError('BAD_INPUT', `keyMask[${i}]`, `must be 0 or 1, got ${quoted(keyMask[i])}`);
    if (keep === 0) masked.push(i);
  }
  return Uint32Array.from(masked);
}

function dilationsOf(dilation: number | ArrayLike<number>, numHeads: number): Uint32Array {
  if (typeof dilation === 'number') return new Uint32Array(numHeads).fill(integer('dilation', dilation, 1));
  checkList('dilation', dilation);
  if (dilation.length !== numHeads) {
    throw new LongformerError('BAD_INPUT', 'dilation', `must be a number or one per head, ${numHeads}, has ${dilation.length}`);
  }
  return Uint32Array.from(dilation, (d, head) => integer(`dilation[${head}]`, d, 1));
}

function positive(name: string, value: number): number {
  return integer(name, value, 1);
}

function integer(name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least || value > 0xffff_ffff) {
    throw new LongformerError('BAD_INPUT', name, `must be an integer from ${least} to ${0xffff_ffff}, got ${typeof value === 'number' ? value : quoted(value)}`);
  }
  return value;
}
