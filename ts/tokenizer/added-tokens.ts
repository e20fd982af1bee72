// Tokens that are looked for in the text itself, before anything else is done to it: `<mask>`,
// `[SEP]` and whatever else tokenizer.json lists under `added_tokens`.

import type { JsonSection } from './json-section.ts';
import { Trie } from './trie.ts';
import { classOf, SPACE } from './unicode.ts';
import { MAX_ID, MAX_TOKEN_LENGTH } from './vocabulary.ts';

export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** Only where no word character stands before or behind it. */
  readonly single_word: boolean;
  /** Takes the white space before it in. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text, and normalized itself. */
  readonly normalized: boolean;
  /** Structure, not text: decoding can leave it out. */
  readonly special: boolean;
}

/** The fields of one entry, their defaults filled in. Throws `BAD_FILE` naming the field that breaks a rule. */
export function readAddedToken(section: JsonSection): AddedToken {
  const content = section.string('content');
  if (content.length === 0 || content.length > MAX_TOKEN_LENGTH) {
    throw section.refuse('content', `must have 1 to ${MAX_TOKEN_LENGTH} characters`);
  }
  const special = section.boolean('special', false);
  return {
    content,
    id: section.integer('id', 0, MAX_ID),
    single_word: section.boolean('single_word', false),
    lstrip: section.boolean('lstrip', false),
    rstrip: section.boolean('rstrip', false),
    normalized: section.boolean('normalized', !special),
    special,
  };
}

/** A part of a text: an added token, or text between them. */
export interface Part {
  readonly start: number; // UTF-16 units
  readonly end: number;
  readonly token: AddedToken | null;
}

/** Finds added tokens: the leftmost first, of those that start there the longest, of equal ones the first of the list. */
export class AddedTokenFinder {
  private readonly tokens: readonly AddedToken[];
  private readonly trie: Trie;

  /** `textOf` says what is looked for, at most MAX_TOKEN_LENGTH units, where that is not the content. */
  constructor(tokens: readonly AddedToken[], textOf = (token: AddedToken): string => token.content) {
    this.tokens = [...tokens].reverse(); // of equal tokens a trie has the last
    this.trie = new Trie(this.tokens.map(textOf));
  }

  /** The parts of `text` in order; together they are all of it. */
  split(text: string): Part[] {
    const parts: Part[] = [];
    let place = -1;
    let end = 0;
    const found = (longer: number, stop: number): void => {
      place = longer;
      end = stop;
    };
    let done = 0;
    let i = 0;
    while (i < text.length) {
      place = -1;
      this.trie.eachAt(text, i, found);
      if (place === -1) {
        i++;
        continue;
      }
      const token = this.tokens[place]!;
      const from = i;
      i = end;
      if (token.single_word && (endsWithWord(text, from) || startsWithWord(text, end))) continue;
      const start = token.lstrip ? Math.max(beforeSpaces(text, from), done) : from;
      const stop = token.rstrip ? behindSpaces(text, end) : end;
      if (start > done) parts.push({ start: done, end: start, token: null });
      parts.push({ start, end: stop, token });
      done = stop;
    }
    if (done < text.length) parts.push({ start: done, end: text.length, token: null });
    return parts;
  }
}

const WORD_CHARACTER = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

function startsWithWord(text: string, at: number): boolean {
  return at < text.length && WORD_CHARACTER.test(String.fromCodePoint(text.codePointAt(at)!));
}

function endsWithWord(text: string, at: number): boolean {
  if (at === 0) return false;
  const whole = at > 1 && text.codePointAt(at - 2)! > 0xffff ? at - 2 : at - 1;
  return WORD_CHARACTER.test(String.fromCodePoint(text.codePointAt(whole)!));
}

function beforeSpaces(text: string, at: number): number {
  while (at > 0 && (classOf(text.charCodeAt(at - 1)) & SPACE) !== 0) at--;
  return at;
}

function behindSpaces(text: string, at: number): number {
  while (at < text.length && (classOf(text.charCodeAt(at)) & SPACE) !== 0) at++;
  return at;
}
