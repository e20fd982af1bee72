// How a text is cut into the words that the model then cuts into tokens: the `pre_tokenizer` of
// tokenizer.json. A word is a range of the normalized text, given by where it starts and ends.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { JsonSection } from './json-section.ts';
import { classOf, LETTER, NUMBER, PUNCTUATION, SPACE } from './unicode.ts';

export interface PreTokenizer {
  readonly type: 'BertPreTokenizer' | 'ByteLevel';
  /** A text that does not start with a space is given one. */
  readonly addPrefixSpace: boolean;
  /** Calls `word` with every word of the text, in order. */
  split(text: string, word: (start: number, end: number) => void): void;
}

/** What `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly. */
export function createPreTokenizer(section: JsonSection): PreTokenizer {
  const type = section.get('type');
  switch (type) {
    case 'BertPreTokenizer': return { type, addPrefixSpace: false, split: splitAtSpacesAndPunctuation };
    case 'ByteLevel': return {
      type,
      addPrefixSpace: section.boolean('add_prefix_space', true),
      split: section.boolean('use_regex', true) ? splitLikeGpt2 : asOneWord,
    };
    default: throw new LongformerError('BAD_FILE', section.name, `pre-tokenizer type ${quoted(type)} is not supported`);
  }
}

/** Spaces go, a punctuation mark is a word. */
function splitAtSpacesAndPunctuation(text: string, word: (start: number, end: number) => void): void {
  let start = 0;
  let i = 0;
  while (i < text.length) {
    const codePoint = text.codePointAt(i)!;
    const next = i + (codePoint > 0xffff ? 2 : 1);
    const classes = classOf(codePoint);
    if ((classes & (SPACE | PUNCTUATION)) !== 0) {
      if (i > start) word(start, i);
      if ((classes & PUNCTUATION) !== 0) word(i, next);
      start = next;
    }
    i = next;
  }
  if (i > start) word(start, i);
}

function asOneWord(text: string, word: (start: number, end: number) => void): void {
  if (text.length > 0) word(0, text.length);
}

const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/**
 * GPT-2's expression, by hand because its classes are not JavaScript's:
 * `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
 */
function splitLikeGpt2(text: string, word: (start: number, end: number) => void): void {
  let start = 0;
  while (start < text.length) {
    const end = contractionEnd(text, start) ?? runEnd(text, start) ?? spacesEnd(text, start);
    word(start, end);
    start = end;
  }
}

function contractionEnd(text: string, start: number): number | null {
  if (text.charCodeAt(start) !== 0x27) return null;
  const contraction = CONTRACTIONS.find((letters) => text.startsWith(letters, start));
  return contraction === undefined ? null : start + contraction.length;
}

/** The end of ` ?\p{L}+` or its like for numbers and for the rest, or null where none starts. */
function runEnd(text: string, start: number): number | null {
  const first = text.charCodeAt(start) === 0x20 ? start + 1 : start;
  if (first === text.length) return null;
  const kind = kindAt(text, first);
  return kind === SPACE ? null : endOfKind(text, first, kind);
}

/** White space leaves its last character to what follows, unless it has no other or nothing follows. */
function spacesEnd(text: string, start: number): number {
  const end = endOfKind(text, start, SPACE);
  return end === text.length || end === start + 1 ? end : end - 1;
}

function endOfKind(text: string, start: number, kind: number): number {
  let i = start;
  while (i < text.length && kindAt(text, i) === kind) i += text.codePointAt(i)! > 0xffff ? 2 : 1;
  return i;
}

/** LETTER, NUMBER, SPACE or 0: every character is exactly one of them. */
function kindAt(text: string, i: number): number {
  return classOf(text.codePointAt(i)!) & (LETTER | NUMBER | SPACE);
}
