// Zip archives whose entries are stored as they are, as PyTorch writes them: found by name, read in place.
//
//     (header, name, padding, data, perhaps sizes)... | directory | perhaps zip64 end | end
//
// The directory at the end says where each entry's header is; only the header says where the data
// begins. Files come from strangers: the parts must follow each other as drawn, entries must not
// overlap, and nothing may be there twice.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { badFile, type OpenFile } from './source.ts';

interface Entry {
  readonly name: string;
  /** Of its data. */
  readonly bytes: number;
  /** Where its header begins. */
  readonly start: number;
}

/** A 64-bit model of 2000 tensors has a directory of 150 kB. */
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;

const [LOCAL, ENTRY, END, END_64, LOCATOR_64] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
const [LOCAL_BYTES, ENTRY_BYTES, END_BYTES, END_64_BYTES, LOCATOR_64_BYTES] = [30, 46, 22, 56, 20];

/** Sizes behind the data, names in UTF-8. Others (encryption, patches) change what the data means. */
const KNOWN_FLAGS = 0x0808;

/** In a field of 32 bits: the value stands in the extra field. */
const ELSEWHERE = 0xffff_ffff;

export class Zip {
  /** By name. */
  readonly #entries: ReadonlyMap<string, Entry>;
  /** Where each entry's room ends, by where it begins: at the next one or the directory. */
  readonly #limits: ReadonlyMap<number, number>;

  private constructor(private readonly file: OpenFile, entries: readonly Entry[], directoryStart: number) {
    const ordered = [...entries].sort((a, b) => a.start - b.start);
    const limits = new Map<number, number>();
    for (const [i, { name, bytes, start }] of ordered.entries()) {
      const limit = ordered[i + 1]?.start ?? directoryStart;
      if (start + LOCAL_BYTES + bytes > limit) throw badFile(file, `must keep entry ${quoted(name)} clear of what follows it`);
      limits.set(start, limit);
    }
    this.#limits = limits;
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    if (this.#entries.size < entries.length) throw badFile(file, `must name every entry once, ${quoted(twice(entries))} is there twice`);
  }

  /** Reads the directory. Rejects with `BAD_FILE`, naming the file, the entry and the rule. */
  static async open(file: OpenFile): Promise<Zip> {
    const { start, bytes, count } = await findDirectory(file);
    if (bytes > MAX_DIRECTORY_BYTES) throw badFile(file, `must have a directory of at most ${MAX_DIRECTORY_BYTES} bytes, has ${bytes}`);
    const entries = parseDirectory(file, await file.read(start, start + bytes));
    if (entries.length !== count) throw badFile(file, `must have ${count} entries as its end says, has ${entries.length}`);
    return new Zip(file, entries, start);
  }

  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Where the data of that entry lies in the file, or null where there is none. */
  async place(name: string): Promise<{ start: number; end: number } | null> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return null;
    const refuse = (rule: string): LongformerError => badFile(this.file, `must ${rule}, entry ${quoted(name)} does not`);
    const encoded = new TextEncoder().encode(name);
    const limit = this.#limits.get(entry.start)!;
    if (entry.start + LOCAL_BYTES + encoded.length > limit) throw refuse('keep entries clear of each other');

    const header = viewOf(await this.file.read(entry.start, entry.start + LOCAL_BYTES + encoded.length));
    const [nameBytes, extraBytes] = [header.getUint16(26, true), header.getUint16(28, true)];
    const sameName = nameBytes === encoded.length && encoded.every((byte, i) => header.getUint8(LOCAL_BYTES + i) === byte);
    if (header.getUint32(0, true) !== LOCAL || header.getUint16(8, true) !== 0 || !sameName) {
      throw refuse('begin entries as its directory says');
    }
    const start = entry.start + LOCAL_BYTES + nameBytes + extraBytes;
    if (start + entry.bytes > limit) throw refuse('keep entries clear of each other');
    return { start, end: start + entry.bytes };
  }

  /** The data of an entry of at most `maxBytes`, or null where there is none. */
  async read(name: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const place = await this.place(name);
    if (place === null) return null;
    const bytes = place.end - place.start;
    if (bytes > maxBytes) throw badFile(this.file, `must have at most ${maxBytes} bytes in entry ${quoted(name)}, has ${bytes}`);
    return this.file.read(place.start, place.end);
  }
}

async function findDirectory(file: OpenFile): Promise<{ start: number; bytes: number; count: number }> {
  const tail = viewOf(await file.read(Math.max(0, file.size - END_BYTES - LOCATOR_64_BYTES - END_64_BYTES), file.size));
  const end = tail.byteLength - END_BYTES;
  // PyTorch writes no comment behind it.
  if (end < 0 || tail.getUint32(end, true) !== END) throw badFile(file, 'must end as a zip does: is the file truncated?');
  const locator = end - LOCATOR_64_BYTES;
  if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR_64) {
    const [count, bytes, start] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
    return checkedDirectory(file, file.size - END_BYTES, { start, bytes, count });
  }
  const end64 = locator - END_64_BYTES;
  const end64Start = file.size - tail.byteLength + end64;
  if (end64 < 0 || tail.getUint32(end64, true) !== END_64 || uint64(tail, locator + 8) !== end64Start) {
    throw badFile(file, 'must have its zip64 end where its locator says');
  }
  const [count, bytes, start] = [uint64(tail, end64 + 32), uint64(tail, end64 + 40), uint64(tail, end64 + 48)];
  return checkedDirectory(file, end64Start, { start, bytes, count });
}

function checkedDirectory<T extends { start: number; bytes: number }>(file: OpenFile, end: number, directory: T): T {
  if (directory.start + directory.bytes === end) return directory;
  throw badFile(file, `must have its directory right before its end, has it at ${directory.start} with ${directory.bytes} bytes`);
}

function parseDirectory(file: OpenFile, bytes: Uint8Array): Entry[] {
  const view = viewOf(bytes);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== ENTRY) throw badFile(file, 'must have a directory of whole entries');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [number, number, number];
    const extra = at + ENTRY_BYTES + nameBytes;
    const next = extra + extraBytes + commentBytes;
    if (next > bytes.length) throw badFile(file, 'must have a directory of whole entries');

    const name = decode(file, bytes.subarray(at + ENTRY_BYTES, extra));
    const refuse = (rule: string): LongformerError => badFile(file, `must ${rule}, entry ${quoted(name)} does not`);
    // PyTorch never compresses.
    if (view.getUint16(at + 10, true) !== 0) throw refuse('store entries without compression');
    if ((view.getUint16(at + 8, true) & ~KNOWN_FLAGS) !== 0) throw refuse('store entries plainly');
    const wide = wideFields(view, extra, extra + extraBytes);
    const [unpacked, packed, start] = [24, 20, 42].map((field) => {
      const value = view.getUint32(at + field, true);
      return value === ELSEWHERE ? wide.shift() ?? NaN : value;
    }) as [number, number, number];
    if (!Number.isSafeInteger(unpacked + start) || packed !== unpacked) throw refuse('have entries of one size');
    entries.push({ name, bytes: unpacked, start });
    at = next;
  }
  return entries;
}

/** The values of 64 bits in an entry's extra field. */
function wideFields(view: DataView, from: number, to: number): number[] {
  for (let at = from; at + 4 <= to;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && end <= to) {
      return Array.from({ length: Math.floor((end - at - 4) / 8) }, (_, i) => uint64(view, at + 4 + 8 * i));
    }
    at = end;
  }
  return [];
}

/** Above 2^53 inexact, which no comparison with a file's size minds. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decode(file: OpenFile, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badFile(file, 'must have names of entries in UTF-8', { cause });
  }
}

function twice(entries: readonly Entry[]): string | undefined {
  const seen = new Set<string>();
  return entries.find(({ name }) => seen.size === seen.add(name).size)?.name;
}
