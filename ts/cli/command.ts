// What a command is, and how its arguments are read.

import { parseArgs } from 'node:util';
import { LongformerError } from '../errors.ts';
import { didYouMean } from './nearest.ts';
import { flag, UsageError, type Options, type Values } from './option.ts';
import { count } from './terminal.ts';

export { UsageError } from './option.ts';

/** One command line, read. */
export interface Call<Table extends Options> {
  readonly values: Values<Table>;
  /** What stands there besides options. */
  readonly operands: readonly string[];
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Parsing, help and completion of a command come from this. */
export interface Command<Table extends Options = Options> {
  readonly name: string;
  /** What it does: the rest of a sentence that begins with its name. */
  readonly summary: string;
  /** What follows its name in the usage. */
  readonly synopsis: string;
  /** What one has to know of its operands and its output. */
  readonly about: string;
  /** Those of its own and those that it shares, in groups with a heading each. */
  readonly options: Table;
  /** Real ones: what to type behind the program's name, and what that does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What its operands name, for completion; a list: the words that may stand there. */
  readonly operands: 'files' | 'none' | readonly string[];
  run(call: Call<Table>): Promise<void>;
}

/** For the types: `run` knows the options. */
export function command<const Table extends Options>(made: Command<Table>): Command {
  return made as unknown as Command;
}

/** Every command has these. */
export const GENERAL_OPTIONS = {
  verbose: flag('where an error comes from, with its stack'),
  help: flag('this text', { short: 'h' }),
};

/** All options that a command takes. */
export function optionsOf({ options }: Pick<Command, 'options'>): Options {
  return { ...options, ...GENERAL_OPTIONS };
}

/** Options and operands of a command line. Throws `UsageError` naming the first that is wrong. */
export function readArguments<Table extends Options>(args: readonly string[], options: Table): { values: Values<Table>; operands: string[] } {
  const { tokens } = parseArgs({ args: [...args], options: toParse(options), strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, unknown> = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name]! : undefined;
    if (option === undefined) throw new UsageError(`there is no option ${rawName}${didYouMean(name, Object.keys(options), '--')}`);
    values[name] = readValue(option, rawName, value, inlineValue, values[name]);
  }
  return { values: values as Values<Table>, operands };
}

/** `before`: what an earlier one of the same name gave. */
function readValue(option: Options[string], rawName: string, value: string | undefined, isInline: boolean | undefined, before: unknown): unknown {
  if (option.value === null) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value, got ${JSON.stringify(value)}`);
    return true;
  }
  if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
  if (!isInline && /^-./.test(value)) {
    throw new UsageError(`${rawName} needs a value, got the option ${value} (${rawName}=${value} where that is the value)`);
  }
  const read = option.read(value, rawName);
  return option.isList ? [...(before as unknown[] | undefined) ?? [], ...read as unknown[]] : read;
}

/** The options in the words of `parseArgs`. */
export function toParse(options: Options): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  return Object.fromEntries(Object.entries(options).map(([name, { value, short }]) =>
    [name, { type: value === null ? 'boolean' as const : 'string' as const, ...(short !== undefined && { short }) }]));
}

/** Throws for a number that the model or the text does not have: exit code 1, as only the files tell. */
export function checkBelow(name: string, value: number | undefined, limit: number, what: string): void {
  if (value !== undefined && value >= limit) throw new LongformerError('BAD_INPUT', `--${name}`, `must be below the ${count(limit)} ${what}, got ${value}`);
}
