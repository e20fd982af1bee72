// What callers of pipelines can get wrong, refused in the same words for all tasks.

import { checkCount } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';

/** A text with something in it. */
export function checkText(value: unknown, subject: string): string {
  if (typeof value !== 'string') throw new LongformerError('BAD_INPUT', subject, `must be a string, got ${quoted(value)}`);
  if (value.trim() === '') throw new LongformerError('BAD_INPUT', subject, 'must not be blank');
  return value;
}

/** An object with these fields and no others; those of `optional` may be missing. */
export function checkFields(value: unknown, subject: string, wanted: readonly string[], optional: readonly string[] = []): Record<string, unknown> {
  const fields = [...wanted, ...optional];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LongformerError('BAD_INPUT', subject, `must be an object with ${fields.join(', ')}, got ${quoted(value)}`);
  }
  const unknown = Object.keys(value).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw new LongformerError('BAD_INPUT', quoted(unknown), `is no field of ${subject}; there are ${fields.join(', ')}`);
  return value as Record<string, unknown>;
}

/** How many of the best results are wanted: a number, or null for all. */
export function topKOf(byDefault: number): (value: unknown, name: string) => number | null {
  return (value, name) => value === null ? null : value === undefined ? byDefault : checkCount(value, name);
}
