// How an index reads, checked against what its checkpoint can.

import { checkChoice } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { PassageRules } from './passages.ts';

export const PASSAGES_BY = ['paragraph', 'sentence', 'tokens'] as const;

export const VECTORS = ['late', 'alone', 'both'] as const;

const DEFAULT_MAX_TOKENS = 200;

/** Below this, a passage could be less than a word. */
const LEAST_MAX_TOKENS = 16;

/** A window holds special tokens, a passage and more: windows overlap by a passage. */
export function checkRoom(tokenizer: Tokenizer, passages: PassageRules, positions: number): void {
  const special = tokenizer.encode('').specialTokensMask.filter((flag) => flag === 1).length;
  if (positions - special > passages.maxTokens) return;
  throw new LongformerError('BAD_FILE', 'the tokenizer',
    `must leave room for more than a passage of ${passages.maxTokens} tokens in ${positions} positions, its special tokens take ${special}`);
}

export function checkPassages(given: Partial<PassageRules>, positions: number): PassageRules {
  const most = positions >> 1; // so that windows of so many positions can overlap by a passage
  const by = checkChoice(given.by ?? 'paragraph', 'passages.by', PASSAGES_BY);
  const maxTokens = given.maxTokens ?? Math.min(DEFAULT_MAX_TOKENS, most);
  if (!Number.isInteger(maxTokens) || maxTokens < LEAST_MAX_TOKENS || maxTokens > most) {
    throw new LongformerError('BAD_INPUT', 'passages.maxTokens',
      `must be a whole number from ${LEAST_MAX_TOKENS} to ${most}, half of the checkpoint's ${positions} positions, got ${quoted(maxTokens)}`);
  }
  const overlap = given.overlap ?? (by === 'tokens' ? maxTokens >> 2 : 0);
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= maxTokens >> 1) {
    throw new LongformerError('BAD_INPUT', 'passages.overlap', `must be a whole number below half of maxTokens = ${maxTokens}, got ${quoted(overlap)}`);
  }
  if (by !== 'tokens' && overlap !== 0) {
    throw new LongformerError('BAD_INPUT', 'passages.overlap', `must be left out unless passages go by tokens, got ${overlap} by ${by}`);
  }
  return { by, maxTokens, overlap };
}
