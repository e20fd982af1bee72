// From scores per token to entities, as in Hugging Face.
//
//   none       every token for itself
//   simple     neighbours of one kind are an entity: B-PER begins one, I-PER goes on
//   first      as simple, but a word has one label: that of its first token,
//   average      that of the mean of its tokens' scores,
//   max          or that of the token which is surest

import type { Tokenizer } from '../tokenizer/tokenizer.ts';

export type Aggregation = 'none' | 'simple' | 'first' | 'average' | 'max';

/** `text.slice(start, end)` is what it is made of. */
export interface Entity {
  /** The label; of aggregated ones without `B-` and `I-`. */
  entity: string;
  /** The probability; of several tokens or words the mean. */
  score: number;
  start: number;
  end: number;
  /** What the tokens spell. */
  word: string;
}

/** A token of the text, with a score for each label. */
export interface ScoredToken {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly scores: readonly number[];
}

/** Tokens with one label. */
interface Labelled {
  readonly label: string;
  readonly score: number;
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly string[];
}

/** The entities of a text, in its order, without those of the labels in `ignored`. */
export function entitiesOf(
  text: string, tokens: readonly ScoredToken[], labels: readonly string[], tokenizer: Tokenizer, aggregation: Aggregation, ignored: readonly string[],
): Entity[] {
  const pieces = tokens.map((token) => pieceOf(text, token, tokenizer));
  switch (aggregation) {
    case 'none': return pieces.map((piece) => labelled([piece], piece.scores, labels))
      .filter(({ label }) => !ignored.includes(label))
      .map(({ label, score, start, end, tokens: [token] }) => ({ entity: label, score, start, end, word: token! }));
    case 'simple': return grouped(pieces.map((piece) => labelled([piece], piece.scores, labels)), tokenizer, ignored);
    default: return grouped(wordsOf(pieces).map((word) => labelled(word, wordScores[aggregation](word.map(({ scores }) => scores)), labels)), tokenizer, ignored);
  }
}

// ---------------------------------------------------------------------------- words

interface Piece extends ScoredToken {
  readonly token: string;
  /** Whether it continues the word of the piece before it. */
  readonly continues: boolean;
}

function pieceOf(text: string, scored: ScoredToken, tokenizer: Tokenizer): Piece {
  const { id, start, end } = scored;
  if (id === tokenizer.specialTokens.unk?.id) return { ...scored, token: text.slice(start, end), continues: false };
  const token = tokenizer.tokenOf(id)!;
  // Where tokens that continue a word are marked, the mark makes them longer than their text. Where
  // they are not, a word is what stands between spaces.
  const continues = tokenizer.continuingPrefix === null
    ? start > 0 && text[start - 1] !== ' ' && text[start] !== ' '
    : characterCount(token) !== characterCount(text.slice(start, end));
  return { ...scored, token, continues };
}

function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function wordsOf(pieces: readonly Piece[]): Piece[][] {
  const words: Piece[][] = [];
  for (const piece of pieces) {
    if (piece.continues && words.length > 0) words.at(-1)!.push(piece);
    else words.push([piece]);
  }
  return words;
}

function labelled(pieces: readonly Piece[], scores: readonly number[], labels: readonly string[]): Labelled {
  const best = largest(scores);
  return {
    label: labels[best]!, score: scores[best]!, start: pieces[0]!.start, end: pieces.at(-1)!.end, tokens: pieces.map(({ token }) => token),
  };
}

/** The scores of a word's tokens as one. */
const wordScores: Readonly<Record<'first' | 'average' | 'max', (tokens: readonly (readonly number[])[]) => readonly number[]>> = {
  first: ([first]) => first!,
  average: (tokens) => tokens[0]!.map((_, label) => mean(tokens.map((scores) => scores[label]!))),
  max: (tokens) => tokens[largest(tokens.map((scores) => scores[largest(scores)]!))]!,
};

/** Where the largest is; of equal ones the first. */
function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

// ---------------------------------------------------------------------------- entities

function grouped(words: readonly Labelled[], tokenizer: Tokenizer, ignored: readonly string[]): Entity[] {
  const groups: Labelled[][] = [];
  for (const word of words) {
    const before = groups.at(-1)?.at(-1);
    if (before !== undefined && !word.label.startsWith('B-') && kindOf(word.label) === kindOf(before.label)) groups.at(-1)!.push(word);
    else groups.push([word]);
  }
  return groups
    .map((group) => ({ group, entity: group[0]!.label.replace(/^[^-]*-/s, '') }))
    .filter(({ entity }) => !ignored.includes(entity))
    .map(({ group, entity }) => ({
      entity,
      score: mean(group.map(({ score }) => score)),
      start: group[0]!.start,
      end: group.at(-1)!.end,
      word: tokenizer.textOf(group.flatMap(({ tokens }) => tokens)),
    }));
}

function kindOf(label: string): string {
  return label.replace(/^[BI]-/, '');
}
