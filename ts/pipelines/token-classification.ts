// token-classification: the names, places and other entities of a text, with where each stands.
//
// A long text is read in windows that overlap, and each token has its scores from the window in which
// it stands farther from the cut. Entities are made of the tokens of the whole text: no window cuts one.

import { checkChoice } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import type { ModelOutput } from '../models/heads.ts';
import type { TokenClassificationOutput } from '../models/token-classification.ts';
import { quoted } from '../quoted.ts';
import { checkText } from './arguments.ts';
import { entitiesOf, type Aggregation, type Entity, type ScoredText } from './entities.ts';
import { labelsOf } from './labels.ts';
import { softmaxInPlace } from './scores.ts';
import type { ReadPart, Task } from './task.ts';
import type { Window } from './windows.ts';

export interface TokenClassificationOptions {
  /**
   * What becomes an entity: `none`, every token; `simple`, neighbours of one kind; `first`, `average` and
   * `max`, the same after the tokens of a word were given one label, by the first of them, their mean
   * or the surest. Default `none`.
   */
  aggregation?: Aggregation;
  /** Labels that are no entities. Default `["O"]`. */
  ignoreLabels?: readonly string[];
}

const AGGREGATIONS = ['none', 'simple', 'first', 'average', 'max'] as const;

export const tokenClassification: Task<string, Required<TokenClassificationOptions>, ModelOutput, Entity[]> = {
  architecture: 'LongformerForTokenClassification',
  overflow: 'window',
  options: {
    aggregation: (value, name) => (value === undefined ? 'none' : checkChoice(value, name, AGGREGATIONS)),
    ignoreLabels: (value, name) => (value === undefined ? ['O'] : checkLabels(value, name)),
  },
  input: checkText,
  load(files) {
    const labels = labelsOf(files);
    const { tokenizer } = files;
    return {
      parts: (text, subject) => [{ text, subject }],
      positions: ownTokens,
      result: (text, [part], { aggregation, ignoreLabels }) => entitiesOf(scoredText(text, part!, labels), tokenizer, aggregation, ignoreLabels),
    };
  },
};

/** The tokens of the text that no other window has as its own. */
function ownTokens({ own, sequenceIds }: Window): Uint32Array {
  const positions: number[] = [];
  for (let i = own.start; i < own.end; i++) if (sequenceIds[i] === 0) positions.push(i);
  return Uint32Array.from(positions);
}

/** The text's own tokens of all windows, one behind the other. */
function scoredText(text: string, { windows, outputs }: ReadPart<ModelOutput>, labels: readonly string[]): ScoredText {
  const tokens = windows.map(ownTokens);
  const count = tokens.reduce((sum, { length }) => sum + length, 0);
  const scored = {
    text, ids: new Uint32Array(count), starts: new Uint32Array(count), ends: new Uint32Array(count), scores: new Float64Array(count * labels.length), labels,
  };
  let first = 0;
  for (const [i, { inputIds, starts, ends }] of windows.entries()) {
    for (const [row, position] of tokens[i]!.entries()) {
      scored.ids[first + row] = inputIds[position]!;
      scored.starts[first + row] = starts[position]!;
      scored.ends[first + row] = ends[position]!;
    }
    scored.scores.set((outputs[i] as TokenClassificationOutput).logits.data, first * labels.length);
    first += tokens[i]!.length;
  }
  for (let token = 0; token < count; token++) softmaxInPlace(scored.scores.subarray(token * labels.length, (token + 1) * labels.length));
  return scored;
}

function checkLabels(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((label) => typeof label === 'string')) return value as string[];
  throw new LongformerError('BAD_INPUT', name, `must be a list of labels, got ${quoted(value)}`);
}
