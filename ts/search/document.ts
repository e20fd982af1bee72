// From a document to what has to be read of it.
//
//   late    the document as a whole, [CLS] global; a passage's vector is the mean of its tokens'
//           vectors, which know what stands around them ("late chunking")
//   alone   the passage by itself; the mean of all its tokens' vectors, special ones included, as
//           sentence-transformers has it; or the first one alone, or the largest of each element,
//           where the checkpoint's 1_Pooling says so
//
// Late vectors are means too, unless the checkpoint takes the largest: the first token is the whole
// document's, not the passage's.
//
// A document with more tokens than the checkpoint has positions is read in windows that overlap. A
// passage takes its late vector from the window in which it lies whole and farthest from the cut.

import { LongformerError } from '../errors.ts';
import { concatenate } from '../models/groups.ts';
import type { Pooling } from '../pipelines/sentence-modules.ts';
import type { Encoding, Tokenizer } from '../tokenizer/tokenizer.ts';
import { windowRanges } from '../tokenizer/windows.ts';
import { passagesOf, type Passage, type PassageRules } from './passages.ts';
import type { Reading } from './reading.ts';

/** What every document of an index is read by. */
export interface ReadingRules {
  readonly passages: PassageRules;
  readonly vectors: 'late' | 'alone' | 'both';
  /** Tokens that a sequence can have, special ones included. */
  readonly maxTokens: number;
  readonly hiddenSize: number;
  readonly pooling: Pooling;
}

/** A document and the readings that give its vectors, `[passages, hiddenSize]` each. */
export interface OpenDocument {
  readonly id: string;
  readonly text: string;
  readonly passages: readonly Passage[];
  /** Tokens of the document, special ones included. */
  readonly tokens: number;
  readonly late: readonly Reading[];
  readonly alone: readonly Reading[];
}

export function openDocument(tokenizer: Tokenizer, rules: ReadingRules, id: string, text: string): OpenDocument {
  const encoding = tokenizer.encode(text);
  const tokens = textTokens(encoding);
  const passages = passagesOf(text, tokens, rules.passages);
  const { vectors } = rules;
  return {
    id,
    text,
    passages,
    tokens: encoding.inputIds.length,
    late: vectors === 'alone' ? [] : lateReadings(id, encoding, tokens, passages, rules),
    alone: vectors === 'late' ? [] : aloneReadings(id, tokenizer, text, passages, rules),
  };
}

/** A text by itself, whose vector goes to `vectors`. */
export function aloneReading(
  tokenizer: Tokenizer, text: string, { maxTokens, pooling }: ReadingRules, target: Pick<Reading, 'vectors' | 'firstVector' | 'name'>,
): Reading {
  const { inputIds } = tokenizer.encode(text);
  if (inputIds.length > maxTokens) {
    throw new LongformerError('BAD_INPUT', target.name, `must have at most ${maxTokens} tokens, special ones included, has ${inputIds.length}`);
  }
  return sequence(inputIds, [], [0, pooling === 'cls' ? 1 : inputIds.length], target);
}

/** The tokens of the text itself: those from `before` to `after` of the encoding. */
interface TextTokens {
  readonly before: number;
  readonly after: number;
  readonly starts: number[];
  readonly ends: number[];
}

function textTokens({ specialTokensMask, offsets }: Encoding): TextTokens {
  const before = specialTokensMask.indexOf(0);
  if (before < 0) return { before: 0, after: 0, starts: [], ends: [] };
  const after = specialTokensMask.lastIndexOf(0) + 1;
  const spans = offsets.slice(before, after);
  return { before, after, starts: spans.map(([start]) => start), ends: spans.map(([, end]) => end) };
}

function lateReadings(
  name: string, { inputIds }: Encoding, { before, after, starts }: TextTokens, passages: readonly Passage[], rules: ReadingRules,
): Reading[] {
  if (passages.length === 0) return [];
  const room = rules.maxTokens - before - (inputIds.length - after);
  // Every passage lies whole in some window.
  const overlap = Math.max(rules.passages.maxTokens, room >> 3);
  const windows = windowRanges(starts.length, room, overlap);
  const vectors = new Float32Array(passages.length * rules.hiddenSize);
  const windowOf = passages.map((passage) => bestWindow(passage, windows, starts.length));
  return windows.map(([start, end], window) => {
    const ids = [inputIds.subarray(0, before), inputIds.subarray(before + start, before + end), inputIds.subarray(after)];
    const firstVector = windowOf.indexOf(window); // the passages of a window are neighbours
    const own = passages.filter((_, i) => windowOf[i] === window);
    const bounds = own.flatMap(({ firstToken, endToken }) => [firstToken, endToken].map((token) => token - start + before));
    return sequence(concatenate(ids), before > 0 ? [0] : [], bounds, { vectors, firstVector: Math.max(firstVector, 0), name });
  });
}

function bestWindow({ firstToken, endToken }: Passage, windows: readonly [number, number][], count: number): number {
  let best = -1;
  let bestMargin = -1;
  for (const [window, [start, end]] of windows.entries()) {
    // The ends of the text are no cuts.
    const margin = Math.min(start === 0 ? Infinity : firstToken - start, end === count ? Infinity : end - endToken);
    if (margin > bestMargin) [best, bestMargin] = [window, margin];
  }
  return best;
}

function aloneReadings(name: string, tokenizer: Tokenizer, text: string, passages: readonly Passage[], rules: ReadingRules): Reading[] {
  const vectors = new Float32Array(passages.length * rules.hiddenSize);
  return passages.map(({ start, end }, i) => aloneReading(tokenizer, text.slice(start, end), rules, { vectors, firstVector: i, name }));
}

function sequence(
  inputIds: Uint32Array, globalTokens: number[], bounds: number[], target: Pick<Reading, 'vectors' | 'firstVector' | 'name'>,
): Reading {
  return {
    ...target, inputIds, bounds,
    tokenTypeIds: new Uint32Array(inputIds.length), globalTokens: Uint32Array.from(globalTokens), masked: new Uint32Array(),
  };
}
