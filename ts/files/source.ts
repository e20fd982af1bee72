// Where the files of a checkpoint come from: a directory, or whatever a caller opens by name.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';

/** A file open for reading at any place. */
export interface OpenFile {
  /** Full name for messages, e.g. the path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * The bytes `start..end`; rejects with `BAD_FILE` if the file ends before `end`. They may lie in
   * `room`, if it is given and large enough: who reads much leaves less to the garbage collector.
   */
  read(start: number, end: number, room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
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
  /** The commit that all files are of, of a repository once it is known. */
  readonly commit?: string | null;
  /**
   * The file of that name, or null where there is none.
   *
   * One that must be fetched first, and has more bytes than `maxBytes`, is refused with `BAD_FILE`
   * before that; any other file may have more.
   */
  open(name: string, limits?: { maxBytes?: number }): Promise<OpenFile | null>;
}

/** Refuses a file that is too large for what it is wanted for. */
export function refuseLarger(name: string, size: number | null, maxBytes = Infinity): void {
  if ((size ?? 0) > maxBytes) throw new LongformerError('BAD_FILE', name, `must be at most ${maxBytes} bytes, has ${size}`);
}

/** What a caller can bring instead of a path: dropped files, zips, tests. */
export interface FileSource {
  open(name: string): Promise<Blob | null>;
}

/**
 * A file's name without `.`, `..` and doubled slashes: one spelling for each file, empty for the folder itself.
 *
 * Refuses a name that leads out of `folder`, or that no address can hold, with `BAD_FILE`: names come
 * from files too (`modules.json`, an index of shards), and those come from strangers. Both slashes
 * count, as they do on some systems.
 */
export function safeName(folder: string, name: string): string {
  const refuse = (rule: string): LongformerError => new LongformerError('BAD_FILE', `file name ${quoted(name)}`, rule);
  const parts: string[] = [];
  let leaves = /^[\\/]|^[a-z]:|\0/i.test(name);
  for (const part of name.split(/[\\/]/)) {
    if (part === '..') leaves ||= parts.pop() === undefined;
    else if (part !== '' && part !== '.') parts.push(part);
  }
  if (leaves) throw refuse(`must stay inside ${folder}`);
  if (/\p{Surrogate}/u.test(name)) throw refuse('must be Unicode text, has half of a surrogate pair');
  return parts.join('/');
}

/** A safe name as part of an address. */
export function encodedName(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** The largest known tokenizer.json has 35 MB. JSON takes up to some 20 times its size while it is read. */
const MAX_BYTES = 64 * 2 ** 20;

/** The whole file as text, or null where there is none. Refuses files above 64 MB: they are read into memory whole. */
export async function readText(source: Source, name: string): Promise<string | null> {
  const file = await source.open(name, { maxBytes: MAX_BYTES });
  if (file === null) return null;
  try {
    refuseLarger(file.name, file.size, MAX_BYTES);
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
