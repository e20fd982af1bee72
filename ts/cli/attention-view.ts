// What a token pays to others, made ready to be shown: the tokens with their places in the text, the
// weights of the heads, and the parts of the text that are worth showing.

import type { Encoding } from '../tokenizer/encoding.ts';

/** One token, one layer. */
export interface AttentionView {
  readonly text: string;
  readonly encoding: Encoding;
  readonly layer: number;
  /** The position of the token that attends. */
  readonly query: number;
  readonly globalTokens: readonly number[];
  /** Of each head that was asked for: its number, or `mean`, and a weight for each token. The first is shown as text. */
  readonly rows: readonly { readonly head: number | 'mean'; readonly weights: Float32Array }[];
}

/** A token that is seen, and how much. */
export interface SeenKey {
  position: number;
  weight: number;
}

/** So many tokens out of sight are shown between others rather than left out. */
const SMALL_GAP = 32;

/** `[num_heads, seqLen]` to the mean of all heads, `[seqLen]`. */
export function meanOfHeads(weights: Float32Array, seqLen: number): Float32Array {
  const heads = weights.length / seqLen;
  const mean = new Float32Array(seqLen);
  for (let i = 0; i < weights.length; i++) mean[i % seqLen]! += weights[i]! / heads;
  return mean;
}

/** The tokens of weight above 0, the heaviest first, equal ones in their order. */
export function seenKeys(weights: Float32Array): SeenKey[] {
  const keys = Array.from(weights, (weight, position) => ({ position, weight })).filter(({ weight }) => weight > 0);
  return keys.sort((a, b) => b.weight - a.weight || a.position - b.position);
}

/** The parts of the sequence to show: what is seen, the token itself, and small gaps between. Ascending. */
export function shownParts({ query, rows }: AttentionView): [start: number, end: number][] {
  const parts: [number, number][] = [];
  const { length } = rows[0]!.weights;
  for (let position = 0; position < length; position++) {
    if (position !== query && rows.every(({ weights }) => weights[position] === 0)) continue;
    const last = parts.at(-1);
    if (last !== undefined && position - last[1] <= SMALL_GAP) last[1] = position + 1;
    else parts.push([position, position + 1]);
  }
  return parts;
}

/**
 * How strong each weight is shown, 0 to 1, as a share of the largest that a token of the text has:
 * special tokens often take most of what there is. By the square root, or a heavy token would hide the others.
 */
export function strengthsOf(weights: Float32Array, { sequenceIds }: Encoding): Float32Array {
  const ofText = weights.filter((_, position) => sequenceIds[position] !== null);
  const largest = largestOf(ofText) || largestOf(weights) || 1;
  return weights.map((weight) => Math.sqrt(Math.min(weight / largest, 1)));
}

function largestOf(weights: Float32Array): number {
  return weights.reduce((most, weight) => Math.max(most, weight), 0);
}

/** The token as the text has it; one that is not of the text as the vocabulary spells it. */
export function wordOf({ text, encoding }: Pick<AttentionView, 'text' | 'encoding'>, position: number): string {
  const [start, end] = encoding.offsets[position]!;
  return encoding.sequenceIds[position] === null ? encoding.tokens[position]! : text.slice(start, end);
}

/**
 * The positions at which a word begins: as whole words, else in any case, else within others; or
 * those of a special token, by its name.
 */
export function positionsOf(word: string, { text, encoding }: Pick<AttentionView, 'text' | 'encoding'>): number[] {
  const special = encoding.tokens.flatMap((token, position) => (token === word && encoding.sequenceIds[position] === null ? [position] : []));
  if (special.length > 0) return special;
  const escaped = word.replace(/[\\^$.|?*+()[\]{}/-]/g, '\\$&');
  const reaches = (position: number, start: number): boolean => {
    const [begin, end] = encoding.offsets[position]!;
    return encoding.sequenceIds[position] !== null && end > start && end > begin;
  };
  const whole = `(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`;
  for (const expression of [new RegExp(whole, 'gu'), new RegExp(whole, 'giu'), new RegExp(escaped, 'giu')]) {
    const positions = new Set<number>();
    let from = 0; // tokens before it end before every place that is still to come
    for (const { index: start, 0: { length } } of text.matchAll(expression)) {
      while (from < encoding.offsets.length && !reaches(from, start!)) from += 1;
      if (from < encoding.offsets.length && encoding.offsets[from]![0] < start! + length) positions.add(from);
    }
    if (positions.size > 0) return [...positions];
  }
  return [];
}
