// What a caller can get wrong in any call, refused in the same words.

import { LongformerError } from './errors.ts';
import type { LongCallOptions } from './progress.ts';
import { quoted } from './quoted.ts';

export function checkObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  throw new LongformerError('BAD_INPUT', name, `must be an object, got ${quoted(value)}`);
}

/** Options of a long call, before anything is begun. */
export function checkCallOptions(options: LongCallOptions): void {
  checkObject('options', options);
  const { signal, onProgress } = options as { signal?: Partial<AbortSignal> | null; onProgress?: unknown };
  if (signal !== undefined && signal !== null && typeof signal.addEventListener !== 'function') {
    throw new LongformerError('BAD_INPUT', 'signal', `must be an AbortSignal, got ${quoted(signal)}`);
  }
  if (onProgress !== undefined && onProgress !== null && typeof onProgress !== 'function') {
    throw new LongformerError('BAD_INPUT', 'onProgress', `must be a function, got ${quoted(onProgress)}`);
  }
}
