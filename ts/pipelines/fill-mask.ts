// fill-mask: what could stand where a text has mask tokens. Scores are as in Hugging Face: softmax over
// the vocabulary, also where the choice is limited to `targets`.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { checkText, topKOf } from './arguments.ts';
import type { Task, TaskFiles } from './task.ts';
import type { Window } from './windows.ts';

export interface FillMaskOptions {
  /** How many tokens are wanted for each mask, the best first; null: all. Default 5. */
  topK?: number | null;
  /** Limits the choice to these: each must be one token, as the vocabulary spells it or as text (`' Paris'`). */
  targets?: string | readonly string[];
}

/** What could stand for a mask. */
export interface FilledMask {
  /** The token's id. */
  token: number;
  tokenStr: string;
  score: number;
  /** The text, or the window that was read of it, as the tokenizer writes it, with the token in place of the mask. */
  sequence: string;
  /** The mask in the text: `text.slice(start, end)`. */
  start: number;
  end: number;
}

interface Options {
  topK: number | null;
  targets: readonly string[] | null;
}

interface Scored {
  token: number;
  score: number;
}

export const fillMask: Task<string, Options, Scored[][], FilledMask[][]> = {
  architecture: 'LongformerForMaskedLM',
  overflow: 'error',
  options: {
    topK: topKOf(5),
    targets(value, name) {
      if (value === undefined) return null;
      const targets: unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
      if (targets.length === 0) throw new LongformerError('BAD_INPUT', name, `must be a token or a list of them, got ${quoted(value)}`);
      return targets.map((target, i) => checkText(target, `${name}[${i}]`));
    },
  },
  input: checkText,
  load({ tokenizer, source }: TaskFiles) {
    const { mask, pad } = tokenizer.specialTokens;
    if (mask === undefined) throw new LongformerError('BAD_FILE', source.label, 'must have a tokenizer with a mask token for fill-mask, has none');
    const masksOf = ({ inputIds, own }: Window): Uint32Array =>
      Uint32Array.from(inputIds.keys()).filter((i) => inputIds[i] === mask.id && i >= own.start && i < own.end);
    return {
      parts: (text, subject) => [{ text, subject }],
      check(inputs, { targets }) {
        for (const { windows, subject } of inputs.flat()) {
          if (windows.every((window) => masksOf(window).length === 0)) throw new LongformerError('BAD_INPUT', subject, `must hold the mask token ${mask.token} among the tokens that are read, does not`);
        }
        if (targets !== null) idsOf(targets, tokenizer);
      },
      positions: masksOf,
      reduce(headOutput, _window, { topK, targets }) {
        const { logits: { dims: [rows, vocab], data } } = headOutput as { logits: { dims: readonly number[]; data: Float32Array } };
        const wanted = targets === null ? null : idsOf(targets, tokenizer);
        return Array.from({ length: rows! }, (_, row) => bestTokens(data.subarray(row * vocab!, (row + 1) * vocab!), topK, wanted));
      },
      result(_text, [part]) {
        const { windows, outputs } = part!;
        const single = outputs.flat().length === 1;
        return windows.flatMap((window, i) => [...masksOf(window)].map((position, mask) => outputs[i]![mask]!.map(({ token, score }): FilledMask => {
          const ids = window.inputIds.slice();
          ids[position] = token;
          // The other masks of several are special tokens too, and stay.
          const sequence = tokenizer.decode(ids.filter((id) => id !== pad?.id), { skipSpecialTokens: single });
          return { token, tokenStr: tokenizer.decode([token]), score, sequence, start: window.starts[position]!, end: window.ends[position]! };
        })));
      },
    };
  },
};

/** Each once. Hugging Face takes the first token of a target that has more, and warns; here it is refused. */
function idsOf(targets: readonly string[], tokenizer: Tokenizer): number[] {
  return [...new Set(targets.map((target, i) => {
    const id = tokenizer.idOf(target);
    if (id !== undefined) return id;
    const { inputIds, tokens } = tokenizer.encode(target, { addSpecialTokens: false });
    if (inputIds.length === 1) return inputIds[0]!;
    throw new LongformerError('BAD_INPUT', `targets[${i}]`, `must be one token, ${quoted(target)} is ${tokens.length}: ${tokens.slice(0, 8).join(' ')}`);
  }))];
}

/** The best of a row of logits, with their probabilities. */
function bestTokens(logits: Float32Array, topK: number | null, targets: readonly number[] | null): Scored[] {
  const most = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  const tokens = targets === null ? Uint32Array.from(logits.keys()) : Uint32Array.from(targets);
  // Sorting numbers is fast, sorting by a function is not: a vocabulary is long, the best of it few.
  const least = topK === null ? undefined : Float32Array.from(tokens, (token) => logits[token]!).sort().at(-topK);
  const best = tokens.filter((token) => least === undefined || logits[token]! >= least).sort((a, b) => logits[b]! - logits[a]!);
  return Array.from(best.subarray(0, topK ?? undefined), (token) => ({ token, score: Math.exp(logits[token]! - most) / sum }));
}
