// What an option is. Parsing, help and completion all read these.

/** The command line is wrong: exit code 2, with the usage. */
export class UsageError extends Error {}

export interface Option<Value> {
  /** What its value is called in the help; null: it takes none, and is there or not. */
  readonly value: string | null;
  /** What it does, in one line. */
  readonly about: string;
  /** What holds where it is not given, for the help. */
  readonly preset?: string | undefined;
  /** One letter that stands for it. */
  readonly short?: string | undefined;
  /** Its values, where there are few. */
  readonly choices?: readonly string[] | undefined;
  /** What its value names, for completion. */
  readonly names?: 'file' | 'directory' | undefined;
  /** It may be given several times, and its value is a list. */
  readonly isList?: boolean | undefined;
  /** The value, of what stands on the command line. Throws `UsageError`; `name` is that of the option, with its dashes. */
  read(given: string, name: string): Value;
}

export type Options = Readonly<Record<string, Option<unknown>>>;

/** The values of options that were given; `undefined` for the others. */
export type Values<Table extends Options> = { readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value | undefined : never };

/** What an option may say of itself besides. */
type Besides = Partial<Pick<Option<unknown>, 'preset' | 'short' | 'names'>>;

/** There, or not. */
export function flag(about: string, besides: Besides = {}): Option<boolean> {
  return { value: null, about, ...besides, read: () => true };
}

export function text(value: string, about: string, besides: Besides = {}): Option<string> {
  return { value, about, ...besides, read: (given) => given };
}

/** Given once for each of its values. */
export function texts(value: string, about: string, besides: Besides = {}): Option<string[]> {
  return { value, about, ...besides, isList: true, read: (given) => [given] };
}

/** A whole number. */
export function number(value: string, about: string, { least = 1, ...besides }: Besides & { least?: number } = {}): Option<number> {
  return { value, about, ...besides, read: (given, name) => readNumber(given, name, least) };
}

/** Whole numbers, separated by commas. */
export function numbers(value: string, about: string, { least = 1, ...besides }: Besides & { least?: number } = {}): Option<number[]> {
  return { value, about, ...besides, read: (given, name) => given.split(',').map((part) => readNumber(part, name, least)) };
}

function readNumber(given: string, name: string, least: number): number {
  const read = /^\d+$/.test(given) ? Number(given) : NaN;
  if (Number.isSafeInteger(read) && read >= least) return read;
  throw new UsageError(`${name} must be a whole number from ${least}, got ${JSON.stringify(given)}`);
}

/** A number that need not be whole. */
export function decimal(value: string, about: string, besides: Besides = {}): Option<number> {
  return {
    value, about, ...besides,
    read(given, name) {
      if (/^\d*\.?\d+$/.test(given)) return Number(given);
      throw new UsageError(`${name} must be a number, got ${JSON.stringify(given)}`);
    },
  };
}

export function choice<const Choice extends string>(choices: readonly Choice[], about: string, besides: Besides = {}): Option<Choice> {
  return {
    value: 'KIND', about, choices, ...besides,
    read(given, name) {
      const found = choices.find((one) => one === given);
      if (found === undefined) throw new UsageError(`${name} must be one of ${choices.join(', ')}, got ${JSON.stringify(given)}`);
      return found;
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };

/** Bytes, written `512MB` or `1.5GiB`. */
export function size(value: string, about: string, besides: Besides = {}): Option<number> {
  return {
    value, about, ...besides,
    read(given, name) {
      const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmg]?i?b)$/i.exec(given) ?? [];
      const bytes = Math.floor(Number(number) * (UNITS[unit.toUpperCase()] ?? NaN));
      if (Number.isSafeInteger(bytes)) return bytes;
      throw new UsageError(`${name} must be a size like 512MB or 2GiB, got ${JSON.stringify(given)}`);
    },
  };
}
