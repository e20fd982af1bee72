// What happens to a text with more tokens than the model has positions for, and the report of what was read.
//
//   error      the call is refused (the default)
//   truncate   the beginning is read, and the report says until where
//   window     all is read, in windows that overlap
//
// Windows share tokens, but each token belongs to one window alone: where two overlap, to the one in
// which it stands farther from the cut.

import { LongformerError } from '../errors.ts';
import type { Encoding, Tokenizer } from '../tokenizer/tokenizer.ts';

export type Overflow = 'error' | 'truncate' | 'window';

/** How texts are read, checked. */
export interface ReadingRules {
  readonly overflow: Overflow;
  /** Tokens of a window, special ones included. */
  readonly maxTokens: number;
  /** Tokens that a window shares with the one before it; null: an eighth of what a window has room for. */
  readonly stride: number | null;
}

/** A text, or a pair of which one is cut where both are too long together. */
export interface Part {
  readonly text: string;
  readonly pair?: string | undefined;
  /** Of a pair. Default `second`. */
  readonly cut?: 'first' | 'second' | undefined;
  /** What errors call the text that is cut. */
  readonly subject: string;
}

/** Tokens that go through the model together: a whole text, or a part of one. */
export interface Window {
  readonly inputIds: Uint32Array;
  readonly tokenTypeIds: Uint32Array;
  /** Where each token starts and ends in the text that it comes from, in UTF-16 units; 0 and 0 for special tokens that were added. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** The text that each token comes from, 0 or 1; -1 for special tokens that were added. */
  readonly sequenceIds: Int8Array;
  /** The word of its text that each token is a part of, as the pre-tokenizer cuts it; -1 for special tokens that were added. */
  readonly wordIds: Int32Array;
  /** The tokens from `start` to `end` are the window's own: together the windows of a text own each of its tokens once. */
  readonly own: { readonly start: number; readonly end: number };
}

/** What was read of one input. */
export interface ReadInput {
  /** Its place among the inputs of the call. */
  index: number;
  /** Tokens that were read, special ones included. */
  tokens: number;
  /** Passes that it took: more than 1 where a text has more tokens than the model has positions. */
  windows: number;
  /** False where something was left out. */
  complete: boolean;
  /** Where the text that was cut ends, in UTF-16 units; missing where nothing was cut. */
  readUntil?: number;
}

/** A part's tokens. */
export interface OpenPart {
  /** What errors call the text. */
  readonly subject: string;
  readonly windows: readonly Window[];
  readonly readUntil: number | null;
}

/** Throws `BAD_INPUT` for a text that is too long, or leaves no room. */
export function windowsOf(tokenizer: Tokenizer, part: Part, rules: ReadingRules): OpenPart {
  const { text, pair, cut = 'second', subject } = part;
  const { overflow, maxTokens } = rules;
  if (overflow === 'error') {
    const encoding = tokenizer.encode(text, { pair });
    const { length } = encoding.inputIds;
    if (length <= maxTokens) return { subject, windows: [whole(encoding)], readUntil: null };
    throw new LongformerError('BAD_INPUT', subject, `must have at most ${maxTokens} tokens, has ${length}, special ones${pair === undefined ? '' : ' and the other text'} included: `
      + `overflow: 'window' reads all of it in parts, 'truncate' its beginning`);
  }
  const room = roomFor(tokenizer, part, maxTokens);
  if (overflow === 'truncate') {
    const encoding = tokenizer.encode(text, { pair, cut, maxLength: maxTokens, overflow });
    return { subject, windows: [whole(encoding)], readUntil: encoding.readUntil ?? null };
  }
  const stride = strideFor(rules, room);
  const encodings = tokenizer.encodeWindows(text, { pair, cut, maxLength: maxTokens, stride });
  const sequence = pair !== undefined && cut === 'second' ? 1 : 0;
  const half = stride >> 1; // of what two windows share, the first half is the former's
  const windows = encodings.map((encoding, i) => {
    const start = i === 0 ? 0 : encoding.sequenceIds.indexOf(sequence) + half;
    const isLast = i === encodings.length - 1;
    const end = isLast ? encoding.inputIds.length : encoding.sequenceIds.lastIndexOf(sequence) + 1 - (stride - half);
    return window(encoding, start, end);
  });
  return { subject, windows, readUntil: null };
}

/** What was read of an input, part by part. */
export function reportOf(index: number, parts: readonly OpenPart[]): ReadInput {
  const windows = parts.flatMap(({ windows }) => windows);
  const cuts = parts.flatMap(({ readUntil }) => readUntil ?? []);
  return {
    index,
    tokens: windows.reduce((sum, { own }) => sum + own.end - own.start, 0),
    windows: windows.length,
    complete: cuts.length === 0,
    ...(cuts.length > 0 && { readUntil: Math.min(...cuts) }),
  };
}

/** Tokens of the text that is cut which a window holds. */
function roomFor(tokenizer: Tokenizer, { text, pair, cut, subject }: Part, maxTokens: number): number {
  const besides = pair === undefined ? tokenizer.encode('')
    : cut === 'first' ? tokenizer.encode('', { pair }) : tokenizer.encode(text, { pair: '' });
  const room = maxTokens - besides.inputIds.length;
  if (room > 0) return room;
  throw new LongformerError('BAD_INPUT', subject, `must have room in ${maxTokens} tokens, special ones${pair === undefined ? '' : ' and the other text'} take ${besides.inputIds.length}`);
}

function strideFor({ stride, maxTokens }: ReadingRules, room: number): number {
  if (stride === null) return room >> 3;
  if (stride < room) return stride;
  throw new LongformerError('BAD_INPUT', 'stride', `must be below the ${room} tokens of a text that a window of ${maxTokens} has room for, got ${stride}`);
}

function whole(encoding: Encoding): Window {
  return window(encoding, 0, encoding.inputIds.length);
}

/** Lists of numbers take a tenth of what lists of pairs do: all texts of a call are tokenized before the first is read. */
function window({ inputIds, tokenTypeIds, offsets, sequenceIds, wordIds }: Encoding, start: number, end: number): Window {
  return {
    inputIds,
    tokenTypeIds: Uint32Array.from(tokenTypeIds),
    starts: Uint32Array.from(offsets, ([start]) => start),
    ends: Uint32Array.from(offsets, ([, end]) => end),
    sequenceIds: Int8Array.from(sequenceIds, (sequence) => sequence ?? -1),
    wordIds: Int32Array.from(wordIds, (word) => word ?? -1),
    own: { start, end },
  };
}
