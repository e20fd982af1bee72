// What a caller can get wrong in any call, refused in the same words.

import { LongformerError } from './errors.ts';
import type { LongCallOptions } from './progress.ts';
import { quoted } from './quoted.ts';

/** The names of options, whatever is kept under them. Their type keeps the list complete: one that is missing does not compile. */
export type Names<Options> = { readonly [Name in keyof Options]-?: unknown };

export const CALL_OPTIONS: Names<LongCallOptions> = { signal: true, onProgress: true };

/** Options of a long call, before anything is begun. `call` is what its caller wrote. */
export function checkCallOptions<O extends LongCallOptions>(call: string, options: O, known: Names<O>): void {
  checkObject(options, 'options');
  checkNames(call, options, known);
  const { signal, onProgress } = options as { signal?: Partial<AbortSignal> | null; onProgress?: unknown };
  if (signal !== undefined && signal !== null && typeof signal.addEventListener !== 'function') {
    throw new LongformerError('BAD_INPUT', 'signal', `must be an AbortSignal, got ${quoted(signal)}`);
  }
  if (onProgress !== undefined && onProgress !== null && typeof onProgress !== 'function') {
    throw new LongformerError('BAD_INPUT', 'onProgress', `must be a function, got ${quoted(onProgress)}`);
  }
}

/** Refuses a name that is not known: one that is misspelt would count for nothing, without a word. */
export function checkNames<O extends object>(call: string, given: O, known: Names<O>, kind = 'option'): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new LongformerError('BAD_INPUT', quoted(unknown), `is no ${kind} of ${call}; there are ${Object.keys(known).join(', ')}`);
}

export function checkObject(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw new LongformerError('BAD_INPUT', name, `must be an object, got ${quoted(value)}`);
}

export function checkCount(value: unknown, name: string, least = 1): number {
  if (Number.isInteger(value) && (value as number) >= least) return value as number;
  throw new LongformerError('BAD_INPUT', name, `must be a whole number from ${least}, got ${quoted(value)}`);
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new LongformerError('BAD_INPUT', name, `must be true or false, got ${quoted(value)}`);
}

export function checkChoice<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  throw new LongformerError('BAD_INPUT', name, `must be one of ${choices.join(', ')}, got ${quoted(value)}`);
}
