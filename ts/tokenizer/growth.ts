// How much longer a text may become on its way through the stages of tokenizer.json. Stages multiply
// each other: without a limit a short file and a short text would fill the memory.

import { LongformerError } from '../errors.ts';

/** A character may become some twenty. */
const MAX_GROWTH = 64;

/** Of what a stage puts in front of a text, however short that is. */
export const MAX_PREFIX = 64; // UTF-16 units

/** The longest string of V8. */
const MAX_STRING = 2 ** 29 - 24; // UTF-16 units

export class Growth {
  private readonly most: number;

  /** For a text of `length` units; `subject` names the stages. */
  constructor(private readonly subject: string, length: number) {
    this.most = Math.min(MAX_GROWTH * (length + MAX_PREFIX), MAX_STRING);
  }

  /** Throws `BAD_FILE` if `length` units are too many. To be asked before memory is taken for them. */
  check(length: number): void {
    if (length > this.most) {
      throw new LongformerError('BAD_FILE', this.subject, `must not make a text more than ${MAX_GROWTH} times as long`);
    }
  }
}
