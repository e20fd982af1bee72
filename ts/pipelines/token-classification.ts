// token-classification: the names, places and other entities of a text, with where each stands.
//
// A long text is read in windows that overlap, and each token has its scores from the window in which
// it stands farther from the cut. Entities are made of the tokens of the whole text: no window cuts one.

import { LongformerError } from '../errors.ts';
import type { ModelOutput } from '../models/heads.ts';
import type { TokenClassificationOutput } from '../models/token-classification.ts';
import { quoted } from '../quoted.ts';
import { checkChoice, checkText } from './arguments.ts';
import { entitiesOf, type Aggregation, type Entity, type ScoredToken } from './entities.ts';
import { labelsOf } from './labels.ts';
import { softmax } from './scores.ts';
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
      result: (text, [part], { aggregation, ignoreLabels }) => entitiesOf(text, scoredTokens(part!, labels.length), labels, tokenizer, aggregation, ignoreLabels),
    };
  },
};

/** The tokens of the text that no other window has as its own. */
function ownTokens({ own, sequenceIds }: Window): Uint32Array {
  const positions: number[] = [];
  for (let i = own.start; i < own.end; i++) if (sequenceIds[i] === 0) positions.push(i);
  return Uint32Array.from(positions);
}

function scoredTokens({ windows, outputs }: ReadPart<ModelOutput>, labels: number): ScoredToken[] {
  return windows.flatMap((window, i) => {
    const { data } = (outputs[i] as TokenClassificationOutput).logits;
    return Array.from(ownTokens(window), (position, row): ScoredToken => ({
      id: window.inputIds[position]!,
      start: window.starts[position]!,
      end: window.ends[position]!,
      scores: softmax(data.subarray(row * labels, (row + 1) * labels)),
    }));
  });
}

function checkLabels(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((label) => typeof label === 'string')) return value as string[];
  throw new LongformerError('BAD_INPUT', name, `must be a list of labels, got ${quoted(value)}`);
}
