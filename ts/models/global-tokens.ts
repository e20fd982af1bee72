// The global tokens that Hugging Face's heads choose by themselves.
//
//     <s> question </s></s> text </s>      three separators, RoBERTa's way
//     [CLS] question [SEP] text [SEP]      two, BERT's: Hugging Face refuses these
//
// Three that do not begin with two neighbours are BERT's, with one more written in the second text.

import { LongformerError } from '../errors.ts';

/** Of a sequence to classify: the first token. */
export function firstToken(_inputIds: Uint32Array): Uint32Array {
  return Uint32Array.of(0);
}

/** Of a question and a text: everything before the first separator. */
export function questionTokens(inputIds: Uint32Array, separator: number): Uint32Array {
  return range(0, separators(inputIds, separator).first);
}

/** Of a question and a choice: everything behind the separators between them, the last separator too. */
export function secondTextTokens(inputIds: Uint32Array, separator: number): Uint32Array {
  const { first, between } = separators(inputIds, separator);
  return range(first + between, inputIds.length);
}

/** Where the first one is, and how many are between the texts. */
function separators(inputIds: Uint32Array, separator: number): { first: number; between: number } {
  const count = inputIds.reduce((sum, id) => sum + (id === separator ? 1 : 0), 0);
  const first = inputIds.indexOf(separator);
  if (count === 2 || count === 3) return { first, between: count === 3 && inputIds[first + 1] === separator ? 2 : 1 };
  throw new LongformerError('BAD_INPUT', 'inputIds',
    `must have 2 or 3 separators, id ${separator}, that show which tokens are global, has ${count}: without them give globalTokens`);
}

function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}
