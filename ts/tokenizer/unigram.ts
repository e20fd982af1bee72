// Unigram: of all ways to cut a word into tokens of the vocabulary the one with the highest sum of
// scores, log probabilities. A character that no token is made of costs more than any token.
//
// The best way to each place in the word is that to an earlier one and a token (Viterbi); of equals the
// one whose last token is longest. Tokens that start at a place are found in a trie, so time grows with the word.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { JsonSection } from './json-section.ts';
import type { Model, Pieces } from './model.ts';
import { Trie } from './trie.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How much worse than the worst token a character without one is. */
const UNKNOWN_PENALTY = 10;

/** What `section` (`model` of tokenizer.json) describes. Throws `BAD_FILE` naming the field that breaks a rule. */
export function createUnigram(section: JsonSection, vocabulary: Vocabulary): Model {
  const scores = readScores(section);
  const unknownId = unknownIdOf(section);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score)) - UNKNOWN_PENALTY;
  const trie = new Trie(section.list('vocab').map((entry) => (entry as [string])[0]));
  const byteIds = section.boolean('byte_fallback', false) ? byteTokens(vocabulary) : null;

  return (word) => {
    const best = bestPath(word, trie, scores, unknownId, unknownScore);
    const pieces: Pieces = { ids: [], starts: [], ends: [] };
    const add = (id: number, start: number, end: number): void => {
      pieces.ids.push(id);
      pieces.starts.push(start);
      pieces.ends.push(end);
    };
    for (let i = best.ends.length - 1; i >= 0; i--) {
      const start = i === best.ends.length - 1 ? 0 : best.ends[i + 1]!;
      const end = best.ends[i]!;
      const text = word.slice(start, end);
      // Unknown characters in a row are one token, which may be known after all.
      const id = best.ids[i] === unknownId ? vocabulary.idOf(text) : best.ids[i];
      const bytes = id === undefined ? bytesOf(text, byteIds) : null;
      if (bytes !== null) for (const byte of bytes) add(byte, start, end);
      else add(id ?? unknownId, start, end);
    }
    return pieces;
  };
}

/** The id of the unknown token. A text may hold any character, so there must be one. */
export function unknownIdOf(section: JsonSection): number {
  return section.integer('unk_id', 0, section.list('vocab').length - 1);
}

function readScores(section: JsonSection): Float64Array {
  return Float64Array.from(section.list('vocab'), (entry, id) => {
    const score = (entry as unknown[])[1];
    if (typeof score === 'number' && Number.isFinite(score)) return score;
    throw new LongformerError('BAD_FILE', `${section.nameOf('vocab')}[${id}]`, `must be a token and its score, got ${quoted(entry)}`);
  });
}

/** The tokens of the best path from its end to its start: their ids, and where they end. Unknown ones in a row are one. */
function bestPath(word: string, trie: Trie, scores: Float64Array, unknownId: number, unknownScore: number): { ids: number[]; ends: number[] } {
  const { length } = word;
  // [place], of the best path that ends there: its sum, and where its last token starts and what it is.
  const sums = new Float64Array(length + 1);
  const starts = new Int32Array(length + 1).fill(-1);
  const ids = new Int32Array(length + 1);
  const offer = (end: number, start: number, id: number, sum: number): void => {
    if (starts[end] !== -1 && !(sum > sums[end]!)) return;
    sums[end] = sum;
    starts[end] = start;
    ids[end] = id;
  };
  for (let start = 0; start < length;) {
    const next = start + (word.codePointAt(start)! > 0xffff ? 2 : 1);
    let isKnown = false;
    trie.eachAt(word, start, (id, end) => {
      offer(end, start, id, scores[id]! + sums[start]!);
      isKnown ||= end === next;
    });
    if (!isKnown) offer(next, start, unknownId, unknownScore + sums[start]!);
    start = next;
  }
  const path: { ids: number[]; ends: number[] } = { ids: [], ends: [] };
  for (let end = length; end > 0; end = starts[end]!) {
    const isUnknown = ids[end] === unknownId;
    if (isUnknown && path.ids.at(-1) === unknownId) continue;
    path.ids.push(ids[end]!);
    path.ends.push(end);
  }
  return path;
}

/** The ids of `<0x00>` to `<0xFF>`, where there are such tokens. */
function byteTokens(vocabulary: Vocabulary): (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) => vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`));
}

/** A token for each byte of the text, or null unless there is one for all of them. */
function bytesOf(text: string, byteIds: readonly (number | undefined)[] | null): number[] | null {
  if (byteIds === null) return null;
  const ids = Array.from(new TextEncoder().encode(text), (byte) => byteIds[byte]);
  return ids.includes(undefined) ? null : ids as number[];
}
