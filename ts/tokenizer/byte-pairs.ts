// Byte-level BPE: a word is its UTF-8 bytes, and the pair of neighbours that the merges list first
// becomes one token, until no pair of neighbours is in the list.
//
// The pairs wait in a heap by (place in the list, place in the word), so a word of n bytes takes
// O(n log n): a text without a single space is one word.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { BYTE_SYMBOLS } from './byte-symbols.ts';
import { Heap } from './heap.ts';
import type { JsonSection } from './json-section.ts';
import type { Model, Pieces } from './model.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Rank and place share a number of 53 bits. No string has more bytes than places, no known file a million merges. */
const PLACES = 2 ** 31;
const MAX_MERGES = 2 ** 22;

/** What `section` (`model` of tokenizer.json) describes. Throws `BAD_FILE` naming the field that breaks a rule. */
export function createBytePairs(section: JsonSection, vocabulary: Vocabulary): Model {
  refuseUnsupported(section);
  const idOfByte = BYTE_SYMBOLS.map((symbol, byte) => {
    const id = vocabulary.idOf(symbol);
    if (id === undefined) {
      throw new LongformerError('BAD_FILE', section.nameOf('vocab'), `must hold all 256 byte symbols, lacks ${quoted(symbol)} for byte ${byte}`);
    }
    return id;
  });
  const merges = new Merges(section, vocabulary);
  const wholeWords = section.boolean('ignore_merges', false);
  const utf8 = new TextEncoder();

  return (word) => {
    const bytes = utf8.encode(word);
    if (wholeWords) {
      const id = vocabulary.idOf(Array.from(bytes, (byte) => BYTE_SYMBOLS[byte]).join(''));
      if (id !== undefined) return { ids: [id], starts: [0], ends: [word.length] };
    }
    const symbols = merges.apply(Uint32Array.from(bytes, (byte) => idOfByte[byte]!));
    return bytes.length === word.length ? symbols : inCharacters(symbols, word, bytes.length);
  };
}

function refuseUnsupported(section: JsonSection): void {
  if ((section.get('dropout') ?? 0) !== 0) throw section.refuse('dropout', 'must be null or 0, no other is supported');
  for (const field of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    if ((section.get(field) ?? '') !== '') throw section.refuse(field, 'must be null or empty, no other is supported');
  }
  if (section.boolean('byte_fallback', false)) throw section.refuse('byte_fallback', 'must be false, true is not supported');
}

/** From spans in bytes to spans in UTF-16 units that hold whole characters. */
function inCharacters(symbols: Pieces, word: string, byteLength: number): Pieces {
  const startOf = new Uint32Array(byteLength); // [byte], where its character starts
  const endOf = new Uint32Array(byteLength);
  let byte = 0;
  let unit = 0;
  for (const character of word) {
    const codePoint = character.codePointAt(0)!;
    const length = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    startOf.fill(unit, byte, byte + length);
    endOf.fill(unit + character.length, byte, byte + length);
    byte += length;
    unit += character.length;
  }
  return {
    ids: symbols.ids,
    starts: symbols.starts.map((start) => startOf[start]!),
    ends: symbols.ends.map((end) => endOf[end - 1]!),
  };
}

/** The `merges` of the file: which two tokens become which, the first in the list first. */
class Merges {
  private readonly rankOf = new Map<number, number>(); // by key(left, right)
  private readonly merged: Uint32Array; // [rank], the token that comes out
  private readonly idCount: number;

  constructor(section: JsonSection, vocabulary: Vocabulary) {
    const list = section.list('merges');
    if (list.length > MAX_MERGES) {
      throw new LongformerError('BAD_FILE', section.nameOf('merges'), `must have at most ${MAX_MERGES} entries, has ${list.length}`);
    }
    this.idCount = vocabulary.size;
    this.merged = new Uint32Array(list.length);
    list.forEach((entry, rank) => {
      const refuse = (rule: string): LongformerError =>
        new LongformerError('BAD_FILE', `${section.nameOf('merges')}[${rank}]`, `${rule}, got ${quoted(entry)}`);
      const pair: unknown = typeof entry === 'string' ? entry.split(' ') : entry;
      if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string' || typeof pair[1] !== 'string') {
        throw refuse('must be two tokens');
      }
      const [left, right, both] = [pair[0], pair[1], pair[0] + pair[1]].map((token) => vocabulary.idOf(token));
      if (left === undefined || right === undefined || both === undefined) {
        throw refuse('must be two tokens of the vocabulary that make one of the vocabulary');
      }
      this.rankOf.set(this.key(left, right), rank);
      this.merged[rank] = both;
    });
  }

  /** Merges what can be; spans count the ids given. */
  apply(ids: Uint32Array): Pieces {
    const length = ids.length;
    // A token lives where its first id was; `next` leads to its neighbour, `length` ends the word.
    const next = Int32Array.from(ids, (_, i) => i + 1);
    const previous = Int32Array.from(ids, (_, i) => i - 1);
    const rank = new Int32Array(length).fill(-1); // of the token and its neighbour, -1: they do not merge
    const heap = new Heap();
    const meet = (left: number): void => {
      rank[left] = next[left]! === length ? -1 : this.rankOf.get(this.key(ids[left]!, ids[next[left]!]!)) ?? -1;
      if (rank[left]! >= 0) heap.push(rank[left]! * PLACES + left);
    };
    for (let i = 0; i < length; i++) meet(i);
    while (heap.size > 0) {
      const first = heap.pop();
      const left = first % PLACES;
      // Entries of pairs that are no more stay in the heap and are passed over here.
      if (rank[left] !== (first - left) / PLACES) continue;
      const right = next[left]!;
      ids[left] = this.merged[rank[left]!]!;
      rank[right] = -1;
      next[left] = next[right]!;
      if (next[left]! < length) previous[next[left]!] = left;
      meet(left);
      if (previous[left]! >= 0) meet(previous[left]!);
    }
    const pieces: Pieces = { ids: [], starts: [], ends: [] };
    for (let i = 0; i < length; i = next[i]!) {
      pieces.ids.push(ids[i]!);
      pieces.starts.push(i);
      pieces.ends.push(next[i]!);
    }
    return pieces;
  }

  private key(left: number, right: number): number {
    return left * this.idCount + right;
  }
}
