// How a text is cut into the words that the model then cuts into tokens: the `pre_tokenizer` of
// tokenizer.json. A word is a range of the normalized text, given by where it starts and ends.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { JsonSection } from './json-section.ts';
import { readMetaspace, withMetaspaces, type Metaspace } from './metaspace.ts';
import { prefixed, slice, type NormalizedText } from './normalized-text.ts';
import { classOf, LETTER, NUMBER, PUNCTUATION, SPACE } from './unicode.ts';

/** Takes the next word: a range of a text, which may be the piece that was cut or that with spaces replaced or added. */
export type Word = (text: NormalizedText, start: number, end: number) => void;

export interface PreTokenizer {
  readonly type: string | null;
  /** Calls `word` with every word of the piece, in order; none is empty. */
  split(piece: NormalizedText, word: Word): void;
}

/** What `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly. */
export function createPreTokenizer(section: JsonSection | null): PreTokenizer {
  if (section === null) return { type: null, split: asOneWord };
  if (section.get('type') !== 'Sequence') return createStage(section);
  const stages = section.stages('pretokenizers').map((stage) => {
    // Its words are meant as bytes by those behind it, too.
    if (stage.get('type') === 'ByteLevel') throw stage.refuse('type', 'must not be "ByteLevel" in a sequence, that is not supported');
    return createStage(stage).split;
  });
  return { type: 'Sequence', split: stages.reduce(inTurn, asOneWord) };
}

function createStage(section: JsonSection): PreTokenizer {
  const type = section.get('type');
  switch (type) {
    case 'BertPreTokenizer': return { type, split: splitAtSpacesAndPunctuation };
    case 'ByteLevel': return { type, split: createByteLevel(section) };
    case 'Metaspace': return { type, split: createMetaspace(readMetaspace(section)) };
    case 'WhitespaceSplit': return { type, split: splitAtSpaces };
    default: throw new LongformerError('BAD_FILE', section.name, `pre-tokenizer type ${quoted(type)} is not supported`);
  }
}

type Split = PreTokenizer['split'];

function inTurn(first: Split, second: Split): Split {
  if (first === asOneWord) return second;
  return (piece, word) => first(piece, (text, start, end) => second(slice(text, start, end), word));
}

function asOneWord(piece: NormalizedText, word: Word): void {
  if (piece.text.length > 0) word(piece, 0, piece.text.length);
}

/** Spaces go. */
function splitAtSpaces(piece: NormalizedText, word: Word): void {
  splitAt(piece, SPACE, word);
}

/** Spaces go, a punctuation mark is a word. */
function splitAtSpacesAndPunctuation(piece: NormalizedText, word: Word): void {
  splitAt(piece, SPACE | PUNCTUATION, word);
}

function splitAt(piece: NormalizedText, separators: number, word: Word): void {
  const { text } = piece;
  let start = 0;
  let i = 0;
  while (i < text.length) {
    const codePoint = text.codePointAt(i)!;
    const next = i + (codePoint > 0xffff ? 2 : 1);
    const classes = classOf(codePoint) & separators;
    if (classes !== 0) {
      if (i > start) word(piece, start, i);
      if ((classes & PUNCTUATION) !== 0) word(piece, i, next);
      start = next;
    }
    i = next;
  }
  if (i > start) word(piece, start, i);
}

function createMetaspace(metaspace: Metaspace): Split {
  const { replacement, split } = metaspace;
  return (piece, word) => {
    const replaced = withMetaspaces(metaspace, piece);
    if (!split) return asOneWord(replaced, word);
    for (let start = 0; start < replaced.text.length;) {
      const next = replaced.text.indexOf(replacement, start + 1);
      const end = next === -1 ? replaced.text.length : next;
      word(replaced, start, end);
      start = end;
    }
  };
}

function createByteLevel(section: JsonSection): Split {
  const addPrefixSpace = section.boolean('add_prefix_space', true);
  const split = section.boolean('use_regex', true) ? splitLikeGpt2 : asOneWord;
  return (piece, word) => split(addPrefixSpace && !piece.text.startsWith(' ') ? prefixed(' ', piece) : piece, word);
}

const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/**
 * GPT-2's expression, by hand because its classes are not JavaScript's:
 * `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
 */
function splitLikeGpt2(piece: NormalizedText, word: Word): void {
  const { text } = piece;
  let start = 0;
  while (start < text.length) {
    const end = contractionEnd(text, start) ?? runEnd(text, start) ?? spacesEnd(text, start);
    word(piece, start, end);
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
