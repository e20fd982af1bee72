// Where the files of a checkpoint come from: a directory, or whatever a caller opens by name.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';

/** A file open for reading at any place. */
export interface OpenFile {
  /** Full name for messages, e.g. the path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The bytes `start..end`; rejects with `BAD_FILE` if the file ends before `end`. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** The error for a file that breaks a rule. `problem` continues the sentence that its name begins. */
export function badFile(file: OpenFile, problem: string, options?: ErrorOptions): LongformerError {
  return new LongformerError('BAD_FILE', file.name, problem, options);
}

/** A set of files by name. */
export interface Source {
  /** For messages, e.g. the directory's path. */
  readonly label: string;
  /** The file of that name, or null where there is none. */
  open(name: string): Promise<OpenFile | null>;
}

/** What a caller can bring instead of a path: dropped files, zips, tests. */
export interface FileSource {
  open(name: string): Promise<Blob | null>;
}

/**
 * Refuses a name that leads out of `folder`, with `BAD_FILE`: names come from files too (`modules.json`,
 * an index of shards), and those come from strangers. Both slashes count, as they do on some systems.
 */
export function refuseEscape(folder: string, name: string): void {
  let depth = 0;
  const leaves = name.split(/[\\/]/).some((part) => {
    depth += part === '..' ? -1 : part === '.' || part === '' ? 0 : 1;
    return depth < 0;
  });
  if (leaves || /^[\\/]|^[a-z]:|\0/i.test(name)) {
    throw new LongformerError('BAD_FILE', `file name ${quoted(name)}`, `must stay inside ${folder}`);
  }
}

/** The largest known tokenizer.json has 35 MB. JSON takes up to some 20 times its size while it is read. */
const MAX_BYTES = 64 * 2 ** 20;

/** The whole file as text, or null where there is none. Refuses files above 64 MB: they are read into memory whole. */
export async function readText(source: Source, name: string): Promise<string | null> {
  const file = await source.open(name);
  if (file === null) return null;
  try {
    if (file.size > MAX_BYTES) throw badFile(file, `must be at most ${MAX_BYTES} bytes, has ${file.size}`);
    return new TextDecoder('utf-8', { ignoreBOM: false }).decode(await file.read(0, file.size));
  } finally {
    await file.close();
  }
}

/** The whole file as JSON, or null where there is none. */
export async function readJson(source: Source, name: string): Promise<unknown> {
  const text = await readText(source, name);
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new LongformerError('BAD_FILE', `${source.label}/${name}`, `must be JSON: ${(cause as Error).message}`, { cause });
  }
}
