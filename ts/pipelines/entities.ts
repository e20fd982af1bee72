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

/** A text, its tokens, and how probable each label is for each of them. */
export interface ScoredText {
  readonly text: string;
  readonly ids: Uint32Array;
  /** Where each token starts and ends in the text. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** `[tokens, labels]` */
  readonly scores: Float64Array;
  readonly labels: readonly string[];
}

/** The entities of a text, in its order, without those of the labels in `ignored`. */
export function entitiesOf(scored: ScoredText, tokenizer: Tokenizer, aggregation: Aggregation, ignored: readonly string[]): Entity[] {
  const words = wordsOf(scored, tokenizer, aggregation);
  const alone = aggregation === 'none';
  const entities: Entity[] = [];
  for (const group of alone ? words.map((word) => [word]) : groupsOf(words)) {
    const [{ first, label }, { stop }] = [group[0]!, group.at(-1)!];
    const entity = alone ? label : label.replace(/^[^-]*-/s, '');
    if (ignored.includes(entity)) continue;
    const tokens = Array.from({ length: stop - first }, (_, i) => spelling(scored, first + i, tokenizer));
    entities.push({
      entity,
      score: group.reduce((sum, { score }) => sum + score, 0) / group.length,
      start: scored.starts[first]!,
      end: scored.ends[stop - 1]!,
      word: alone ? tokens[0]! : tokenizer.textOf(tokens),
    });
  }
  return entities;
}

/** Neighbours of one kind. */
function groupsOf(words: readonly Word[]): Word[][] {
  const groups: Word[][] = [];
  let kind: string | null = null;
  for (const word of words) {
    const own = word.label.replace(/^[BI]-/, '');
    if (own === kind && !word.label.startsWith('B-')) groups.at(-1)!.push(word);
    else groups.push([word]);
    kind = own;
  }
  return groups;
}

// ---------------------------------------------------------------------------- words

/** The tokens from `first` to `stop`, with one label. */
interface Word {
  readonly first: number;
  readonly stop: number;
  readonly label: string;
  readonly score: number;
}

/** Words with their labels; with `none` and `simple` every token is one. */
function wordsOf(scored: ScoredText, tokenizer: Tokenizer, aggregation: Aggregation): Word[] {
  const { ids, scores, labels } = scored;
  const byToken = aggregation === 'none' || aggregation === 'simple';
  const words: Word[] = [];
  for (let first = 0, stop; first < ids.length; first = stop) {
    stop = first + 1;
    while (!byToken && stop < ids.length && continues(scored, stop, tokenizer)) stop++;
    const rows = Array.from({ length: stop - first }, (_, i) => scores.subarray((first + i) * labels.length, (first + i + 1) * labels.length));
    const wordScores = byToken ? rows[0]! : SCORES[aggregation](rows);
    const label = largest(wordScores);
    words.push({ first, stop, label: labels[label]!, score: wordScores[label]! });
  }
  return words;
}

/** The scores of a word, of those of its tokens. */
const SCORES: Readonly<Record<'first' | 'average' | 'max', (rows: readonly Float64Array[]) => Float64Array>> = {
  first: ([first]) => first!,
  average: (rows) => rows[0]!.map((_, label) => rows.reduce((sum, row) => sum + row[label]!, 0) / rows.length),
  max: (rows) => rows[largest(rows.map((row) => row[largest(row)]!))]!,
};

/** Where the largest is; of equal ones the first. */
function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * Whether a token goes on with the word of the one before it. Where such tokens are marked, the mark
 * makes them longer than their text; where they are not, a word is what stands between spaces.
 */
function continues({ text, ids, starts, ends }: ScoredText, i: number, tokenizer: Tokenizer): boolean {
  const id = ids[i]!;
  const [start, end] = [starts[i]!, ends[i]!];
  if (id === tokenizer.specialTokens.unk?.id) return false;
  if (tokenizer.continuingPrefix === null) return start > 0 && text[start - 1] !== ' ' && text[start] !== ' ';
  return characterCount(tokenizer.tokenOf(id)!) !== characterCount(text.slice(start, end));
}

function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** A token as the vocabulary spells it, an unknown one as the text does. */
function spelling({ text, ids, starts, ends }: ScoredText, i: number, tokenizer: Tokenizer): string {
  const id = ids[i]!;
  return id === tokenizer.specialTokens.unk?.id ? text.slice(starts[i], ends[i]) : tokenizer.tokenOf(id)!;
}
