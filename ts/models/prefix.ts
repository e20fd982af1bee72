// Where a checkpoint keeps the encoder, and how its model counts positions.

import type { LongformerConfig } from '../config.ts';
import type { Weights } from './weights.ts';

/** No prefix, those of Hugging Face's heads and of AI2's own tarballs, and the same inside of a training program's module. */
const PREFIXES = ['', 'longformer.', 'roberta.', 'bert.'].flatMap((prefix) => [prefix, `model.${prefix}`]);

/** What comes before the names of the encoder's tensors; none where nothing fits, and the first tensor will be missed. */
export function findPrefix(weights: Weights): string {
  return PREFIXES.find((prefix) => weights.has(`${prefix}embeddings.word_embeddings.weight`)) ?? '';
}

/**
 * The position of a text's first token: 0 for BERT with Longformer's attention, which counts every
 * token; `pad_token_id + 1` for all that grew from RoBERTa, where padding ids are not counted.
 */
export function firstPosition(prefix: string, { json, pad_token_id }: LongformerConfig): number {
  const names = /(\w+)\.$/.exec(prefix.replace(/^model\./, ''))?.[1];
  return (names ?? json['model_type']) === 'bert' ? 0 : pad_token_id + 1;
}
