// From ranges of a text to the tokens made of them, e.g. for global tokens.

import { checkNames, checkObject } from './arguments.ts';
import { LongformerError } from './errors.ts';
import { quoted } from './quoted.ts';
import type { Encoding } from './tokenizer/encoding.ts';

/** UTF-16 units of a text, as in `slice`. */
export type CharacterRange = readonly [start: number, end: number];

/**
 * The positions, ascending, of the tokens that hold a character of one of the ranges. Special tokens
 * hold none. Of a pair, `text` is the text that the ranges are in: 0, the default, or 1.
 *
 * @example
 * ```js
 * import { Tokenizer, tokensInRanges } from 'longformer-wasm';
 *
 * const text = 'Terms of this license\nThe licensor shall copy this work.';
 * const tokenizer = await Tokenizer.fromPretrained('models/classifier');
 * const title = tokensInRanges(tokenizer.encode(text), [[0, text.indexOf('\n')]]);
 * console.log(title); // => [1, 2, 3, 4]
 * ```
 */
export function tokensInRanges(
  encoding: Pick<Encoding, 'offsets' | 'sequenceIds'>, ranges: readonly CharacterRange[], options: { text?: 0 | 1 } = {},
): number[] {
  checkObject(encoding, 'the encoding');
  checkObject(options, 'options');
  checkNames('tokensInRanges', options, { text: true });
  const { text = 0 } = options;
  if (!Array.isArray(ranges)) throw new LongformerError('BAD_INPUT', 'ranges', `must be a list of [start, end], got ${quoted(ranges)}`);
  for (const [i, range] of ranges.entries()) checkRange(range, i);
  return encoding.offsets.flatMap(([start, end], position) => {
    const meets = encoding.sequenceIds[position] === text && ranges.some((range) => start < range[1] && range[0] < end);
    return meets ? [position] : [];
  });
}

function checkRange(range: CharacterRange, index: number): void {
  const isRange = Array.isArray(range) && range.length === 2 && range.every(Number.isInteger) && 0 <= range[0] && range[0] <= range[1];
  if (!isRange) {
    throw new LongformerError('BAD_INPUT', `ranges[${index}]`, `must be [start, end], whole numbers in that order, got ${quoted(range)}`);
  }
}
