// What a command is, and how its arguments are read.

import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { HubOptions } from '../files/source-options.ts';

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole help text. */
  readonly usage: string;
  run(args: string[], signal: AbortSignal): Promise<void>;
}

/** The command line is wrong: exit code 2, with the usage. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

type Arguments<T extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>;

/** Options and positional arguments. */
export function readArguments<const T extends Options>(args: string[], options: T): Arguments<T> {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\.? To specify/)[0]!); // Node goes on with advice
  }
}

/** Options of commands that read a model, for `parseArgs`. */
export const SOURCE_OPTIONS = {
  revision: { type: 'string' },
  'cache-dir': { type: 'string' },
  'local-files-only': { type: 'boolean' },
} as const;

/** Their values, as every call that reads a source takes them. */
export function readSource(values: { revision?: string | undefined; 'cache-dir'?: string | undefined; 'local-files-only'?: boolean | undefined }): HubOptions {
  return { revision: values.revision, cacheDir: values['cache-dir'], localFilesOnly: values['local-files-only'] };
}

/** The value of an option that counts something, or undefined where it was not given. */
export function readCount(name: string, value: string | undefined, min = 1): number | undefined {
  if (value === undefined) return undefined;
  const count = /^\d+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(count) || count < min) throw new UsageError(`--${name} must be a whole number from ${min}, got ${JSON.stringify(value)}`);
  return count;
}

/** The values of an option that takes several, separated by commas. */
export function readCounts(name: string, value: string | undefined, min = 1): number[] | undefined {
  return value?.split(',').map((part) => readCount(name, part, min)!);
}

/** The value of an option that has few. */
export function readChoice<const T extends string>(name: string, value: string | undefined, choices: readonly T[]): T | undefined {
  if (value === undefined || (choices as readonly string[]).includes(value)) return value as T | undefined;
  throw new UsageError(`--${name} must be one of ${choices.join(', ')}, got ${JSON.stringify(value)}`);
}
