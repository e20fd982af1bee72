// The tokens of one or two texts, put together with the special tokens around them.

import type { Slot } from './post-processor.ts';
import type { TextTokens } from './text-tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The tokens of one input. All lists have one entry per token. */
export interface Encoding {
  inputIds: Uint32Array;
  /** As the vocabulary spells them. */
  tokens: string[];
  /** Where each token is, in UTF-16 units of the text it comes from; [0, 0] for special tokens that were added. */
  offsets: [start: number, end: number][];
  /** Which text each token comes from; null for special tokens that were added. */
  sequenceIds: (0 | 1 | null)[];
  /** Which word of its text each token is a part of, as the pre-tokenizer cuts it; null for special tokens that were added. */
  wordIds: (number | null)[];
  /** 1 for special tokens that were added, 0 for tokens of a text. */
  specialTokensMask: (0 | 1)[];
  tokenTypeIds: number[];
  /** Where the text that was cut ends in the encoding, in UTF-16 units; missing where nothing was cut. */
  readUntil?: number;
}

/** A part of a text's tokens. */
interface TokenRange {
  readonly tokens: TextTokens;
  readonly start: number;
  readonly end: number;
}

/** Fills the slots with their special tokens and with `texts`, by sequence. */
export function assemble(slots: readonly Slot[], texts: readonly TokenRange[], vocabulary: Vocabulary): Encoding {
  const ids: number[] = [];
  const encoding: Encoding = {
    inputIds: new Uint32Array(), tokens: [], offsets: [], sequenceIds: [], wordIds: [], specialTokensMask: [], tokenTypeIds: [],
  };
  const add = (id: number, start: number, end: number, sequence: 0 | 1 | null, word: number | null, typeId: number): void => {
    ids.push(id);
    encoding.tokens.push(vocabulary.tokenOf(id)!);
    encoding.offsets.push([start, end]);
    encoding.sequenceIds.push(sequence);
    encoding.wordIds.push(word);
    encoding.specialTokensMask.push(sequence === null ? 1 : 0);
    encoding.tokenTypeIds.push(typeId);
  };
  for (const slot of slots) {
    if (slot.sequence === null) {
      add(slot.id, 0, 0, null, null, slot.typeId);
    } else {
      const { tokens, start, end } = texts[slot.sequence]!;
      for (let i = start; i < end; i++) add(tokens.ids[i]!, tokens.starts[i]!, tokens.ends[i]!, slot.sequence, tokens.words[i]!, slot.typeId);
    }
  }
  encoding.inputIds = Uint32Array.from(ids);
  return encoding;
}
