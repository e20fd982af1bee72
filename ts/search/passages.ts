// The passages of a text: what a search finds.
//
//   paragraph   blocks (blocks.ts); what is too long is divided at sentences, code at lines
//   sentence    sentences; what is too long is divided at words
//   tokens      so many tokens each, with an overlap
//
// In the first two a heading goes with what follows it, and what is very short with a neighbour.
// Passages are in order; together they hold all of the text but white space between them.

import { blocksOf, linesOf, type Block } from './blocks.ts';
import { sentencesOf } from './sentences.ts';
import { isSpace, trimmed, type Span } from './span.ts';

export interface PassageRules {
  readonly by: 'paragraph' | 'sentence' | 'tokens';
  /** Tokens that a passage has at most, special ones not counted. At least 16. */
  readonly maxTokens: number;
  /** Tokens that a passage shares with the one before it, where they are cut by tokens. */
  readonly overlap: number;
}

/** Where the tokens of a text are in it, special ones left out. Ascending. */
export interface TokenSpans {
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

/** A part of a text and the tokens in it. */
export interface Passage extends Span {
  readonly firstToken: number;
  readonly endToken: number;
}

/** Sentences below this many tokens ("Yes.", "2.") mean little by themselves. */
const SHORT_SENTENCE = 8;

/** Passages have at least a token each; a text without tokens has none. */
export function passagesOf(text: string, tokens: TokenSpans, rules: PassageRules): Passage[] {
  const measured = new MeasuredText(text, tokens);
  const { by, maxTokens, overlap } = rules;
  const whole = trimmed(text, { start: 0, end: text.length });
  if (whole === null || tokens.starts.length === 0) return [];
  const spans = by === 'tokens' ? measured.cut(whole, maxTokens, overlap)
    : by === 'sentence' ? joinShort(sentencePieces(measured, maxTokens), measured, maxTokens, SHORT_SENTENCE)
    : joinShort(paragraphPieces(measured, maxTokens), measured, maxTokens, maxTokens / 4);
  return spans.map(({ start, end }) => ({
    start, end, firstToken: measured.tokenAt(start), endToken: measured.tokenAt(end),
  }));
}

/** A piece of a block, small enough for a passage. */
interface Piece extends Span {
  /** The level of the heading that it starts with, 0 if with none. */
  heading: number;
  /** Belongs to what is before it, if both fit into a passage. */
  continues: boolean;
}

function paragraphPieces(text: MeasuredText, maxTokens: number): Piece[] {
  return sectionsOf(text.text).flatMap((block) => {
    const spans = text.count(block) <= maxTokens ? [block]
      : pack(unitsOf(text.text, block).flatMap((unit) => text.cut(unit, maxTokens)), text, maxTokens);
    // Code is explained by what is before it.
    return asPieces(spans, block.level, block.kind === 'code');
  });
}

function sentencePieces(text: MeasuredText, maxTokens: number): Piece[] {
  return sectionsOf(text.text).flatMap((block) => {
    const units = unitsOf(text.text, block).flatMap((unit) => text.cut(unit, maxTokens));
    const pieces = asPieces(block.kind === 'code' ? pack(units, text, maxTokens) : units, block.level, false);
    // "Yes." belongs to the sentence before it.
    return pieces.map((piece, i) => ({ ...piece, continues: i > 0 && text.count(piece) < SHORT_SENTENCE }));
  });
}

function asPieces(spans: readonly Span[], heading: number, continues: boolean): Piece[] {
  return spans.map(({ start, end }, i) => i > 0 ? { start, end, heading: 0, continues: false } : { start, end, heading, continues });
}

/** Blocks, headings being part of the block that follows, whose `level` is then theirs; or a block of their own where none does. */
function sectionsOf(text: string): Block[] {
  const sections: Block[] = [];
  let headings: Block[] = [];
  for (const block of blocksOf(text)) {
    headings.push(block);
    if (block.kind === 'heading') continue;
    sections.push({ ...block, start: headings[0]!.start, level: headings[0]!.level });
    headings = [];
  }
  if (headings.length > 0) sections.push({ ...headings[0]!, end: headings.at(-1)!.end, level: 0 });
  return sections;
}

function unitsOf(text: string, block: Block): Span[] {
  if (block.kind !== 'code') return sentencesOf(text, block);
  return [...linesOf(text, block)].flatMap((line) => trimmed(text, line) ?? []);
}

/** Neighbours together, in as few parts as can be, of about the same length. */
function pack(units: readonly Span[], text: MeasuredText, maxTokens: number): Span[] {
  const total = units.reduce((tokens, unit) => tokens + text.count(unit), 0);
  const enough = total / Math.ceil(total / maxTokens);
  const packed: Span[] = [];
  for (const { start, end } of units) {
    const last = packed.at(-1);
    if (last !== undefined && text.count(last) < enough && text.count({ start: last.start, end }) <= maxTokens) last.end = end;
    else packed.push({ start, end });
  }
  return packed;
}

/**
 * Pieces below `short` tokens join what follows, or what is before them where nothing may follow. A
 * piece with a heading joins nothing before it but a few words under a higher heading.
 */
function joinShort(pieces: readonly Piece[], text: MeasuredText, maxTokens: number, short: number): Span[] {
  const isShort = (span: Span): boolean => text.count(span) < short;
  const fits = (first: Span, last: Span): boolean => text.count({ start: first.start, end: last.end }) <= maxTokens;
  const follows = (last: Piece, piece: Piece): boolean =>
    piece.heading === 0 ? isShort(last) || piece.continues : isShort(last) && last.heading > 0 && last.heading < piece.heading;
  const forward: Piece[] = [];
  for (const piece of pieces) {
    const last = forward.at(-1);
    if (last !== undefined && follows(last, piece) && fits(last, piece)) last.end = piece.end;
    else forward.push({ ...piece });
  }
  const joined: Piece[] = [];
  for (const piece of forward) {
    const last = joined.at(-1);
    const empty = text.count(piece) === 0 || (last !== undefined && text.count(last) === 0);
    if (last !== undefined && (empty || (piece.heading === 0 && isShort(piece) && fits(last, piece)))) last.end = piece.end;
    else joined.push(piece);
  }
  return joined;
}

/** A text that knows how many tokens a part of it has. */
class MeasuredText {
  constructor(readonly text: string, private readonly tokens: TokenSpans) {}

  /** The first token that reaches past `at`. */
  tokenAt(at: number): number {
    const { ends } = this.tokens;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  count({ start, end }: Span): number {
    return this.tokenAt(end) - this.tokenAt(start);
  }

  /** Parts of at most `maxTokens` tokens, each repeating the last `overlap` of the one before it. */
  cut(span: Span, maxTokens: number, overlap = 0): Span[] {
    const [first, last] = [this.tokenAt(span.start), this.tokenAt(span.end)];
    const parts: Span[] = [];
    let from = first;
    for (;;) {
      const to = last - from <= maxTokens ? last : this.boundaryBefore(from + maxTokens, from + (maxTokens >> 1));
      const part = trimmed(this.text, {
        start: from === first ? span.start : this.tokens.starts[from]!,
        end: to === last ? span.end : this.tokens.starts[to]!,
      });
      if (part !== null) parts.push(part);
      if (to === last) return parts;
      from = this.boundaryBefore(to - overlap, Math.max(from + 1, to - 2 * overlap));
    }
  }

  /** The last token from `lowest` to `token` that starts a word; failing that, one that starts a character. */
  private boundaryBefore(token: number, lowest: number): number {
    for (let i = token; i >= lowest; i--) if (this.startsWord(i)) return i;
    for (let i = token; i >= lowest; i--) if (this.startsCharacter(i)) return i;
    return token;
  }

  private startsWord(token: number): boolean {
    const start = this.tokens.starts[token]!;
    return this.startsCharacter(token) && (isSpace(this.text, start) || isSpace(this.text, start - 1));
  }

  /** Not so where a character is several tokens. */
  private startsCharacter(token: number): boolean {
    return this.tokens.starts[token]! >= this.tokens.ends[token - 1]!;
  }
}
