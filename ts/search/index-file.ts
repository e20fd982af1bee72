// The file of a kept index. It is in the safetensors format, which many programs read:
//
//     __metadata__   format: "longformer-wasm search index", version: "1", settings: `KeptSettings` as JSON
//     vectors        F32 [passages, hidden_size], each of length one
//     probe          F32 [any, hidden_size], the vectors of PROBE (probe.ts)
//     spans          U32 [passages, 2], start and end of each passage in its text, in UTF-16 units
//     documents      U8, a JSON list of `{ id, version, tokens, windows, passages, bytes }`
//     texts          U8, the texts in UTF-8, one behind the other
//
// Passages are in the order of the documents, so each document has the next of every list. The file
// comes from anyone: its claims are checked against each other and against its size before a document
// is made of them, and what is made is no larger than what is read.

import { windowPerLayer } from '../config.ts';
import { DTYPES, type Dtype } from '../dtype.ts';
import type { Run } from '../engine/services.ts';
import { LongformerError } from '../errors.ts';
import { openSafetensors } from '../files/safetensors.ts';
import { writeSafetensors, type TensorToWrite } from '../files/safetensors-writer.ts';
import { badFile, refuseLarger, type OpenFile } from '../files/source.ts';
import { byteLength, isCount, type StoredTensors } from '../files/tensors.ts';
import { quoted } from '../quoted.ts';
import type { ReadingRules } from './document.ts';
import type { PassageRules } from './passages.ts';
import type { ProbeVectors } from './probe.ts';
import { PASSAGES_BY, VECTORS } from './rules.ts';
import type { UnitVectors } from '../../pkg/threads-simd128/longformer.js';

const FORMAT = 'longformer-wasm search index';
const VERSION = '1';

/** JSON is read whole; this is some two million documents. */
const MAX_JSON_BYTES = 2 ** 28;

/** Bytes that are read at once. */
const READ_BYTES = 2 ** 22;

/** How the vectors of a kept index were made. */
export interface KeptSettings {
  /** Where the checkpoint came from; null: files that a caller brought. */
  readonly checkpoint: { readonly source: string; readonly revision: string | null } | null;
  readonly passages: PassageRules;
  readonly vectors: ReadingRules['vectors'];
  /** Of every layer, both sides together. */
  readonly attentionWindow: readonly number[];
  readonly dtype: Dtype;
  readonly modulesToNotConvert: readonly string[];
}

/** What an index keeps of a document. */
export interface KeptDocument {
  readonly text: string;
  version: string | null;
  readonly tokens: number;
  readonly windows: number;
  /** Start and end of each passage in the text. */
  readonly spans: Uint32Array;
  /** `[passages, hidden_size]`. */
  readonly vectors: UnitVectors;
}

// ---------------------------------------------------------------------------- writing

/** The file of the documents as they are now, and its size. */
export async function indexFile(
  settings: KeptSettings, hiddenSize: number, probe: Float32Array, documents: ReadonlyMap<string, KeptDocument>,
): Promise<{ bytes: number; chunks: AsyncIterable<Uint8Array> }> {
  const kept = [...documents.values()];
  const entries = new TextEncoder().encode(JSON.stringify([...documents].map(([id, document]) => entryOf(id, document))));
  if (entries.length > MAX_JSON_BYTES) {
    throw new LongformerError('BAD_INPUT', 'the index', `must have a list of documents of at most ${MAX_JSON_BYTES} bytes to be saved, has one of ${entries.length}`);
  }
  const passages = kept.reduce((sum, { spans }) => sum + spans.length / 2, 0);
  const textBytes = kept.reduce((sum, { text }) => sum + utf8Length(text), 0);
  const tensors: TensorToWrite[] = [
    { name: 'probe', dtype: 'F32', shape: [probe.length / hiddenSize, hiddenSize], chunks: () => [bytesOf(probe)] },
    { name: 'spans', dtype: 'U32', shape: [passages, 2], chunks: () => mapped(kept, ({ spans }) => bytesOf(spans)) },
    { name: 'vectors', dtype: 'F32', shape: [passages, hiddenSize], chunks: () => mapped(kept, ({ vectors }) => bytesOf(vectors.read())) },
    { name: 'documents', dtype: 'U8', shape: [entries.length], chunks: () => [entries] },
    { name: 'texts', dtype: 'U8', shape: [textBytes], chunks: () => mapped(kept, ({ text }) => new TextEncoder().encode(text)) },
  ];
  const chunks = writeSafetensors(tensors, { format: FORMAT, version: VERSION, settings: JSON.stringify(settings) });
  const header = (await chunks.next()).value as Uint8Array;
  const bytes = tensors.reduce((sum, { dtype, shape }) => sum + byteLength(dtype, shape), header.length);
  return { bytes, chunks: (async function* () { yield header; yield* chunks; })() };
}

function entryOf(id: string, { text, version, tokens, windows, spans }: KeptDocument): DocumentEntry {
  return { id, version, tokens, windows, passages: spans.length / 2, bytes: utf8Length(text) };
}

/** The same bytes in pieces of about `size`, each of a buffer of its own. */
export async function* piecesOf(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let gathered: Uint8Array[] = [];
  let length = 0;
  const joined = (): Uint8Array<ArrayBuffer> => {
    const piece = new Uint8Array(length);
    let at = 0;
    for (const chunk of gathered) {
      piece.set(chunk, at);
      at += chunk.length;
    }
    [gathered, length] = [[], 0];
    return piece;
  };
  for await (const chunk of chunks) {
    gathered.push(chunk);
    length += chunk.length;
    if (length >= size) yield joined();
  }
  if (length > 0) yield joined();
}

function* mapped<T, U>(list: Iterable<T>, f: (item: T) => U): Generator<U> {
  for (const item of list) yield f(item);
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

// ---------------------------------------------------------------------------- reading

interface DocumentEntry {
  readonly id: string;
  readonly version: string | null;
  readonly tokens: number;
  readonly windows: number;
  readonly passages: number;
  /** Of its text in UTF-8. */
  readonly bytes: number;
}

/** A kept index, its header checked. */
export interface IndexFile {
  readonly name: string;
  readonly settings: KeptSettings;
  /** Of all documents. */
  readonly passages: number;
  probe(): Promise<ProbeVectors>;
  /** Those of a document that was not taken belong to nobody: a loop that ends early frees what it has. */
  documents(run: Run): AsyncGenerator<[id: string, document: KeptDocument]>;
  close(): Promise<void>;
}

/** The file belongs to the result from then on, and is closed if it is refused. Rejects with `BAD_FILE`. */
export async function openIndexFile(file: OpenFile): Promise<IndexFile> {
  const stored = await openSafetensors(file);
  try {
    const settings = readSettings(file, stored);
    const { passages, hiddenSize } = checkShapes(file, stored);
    return {
      name: file.name,
      settings,
      passages,
      async probe() {
        const { buffer } = await stored.read('probe');
        return { hiddenSize, data: new Float32Array(buffer) };
      },
      documents: (run) => readDocuments(run, file, stored, passages, hiddenSize),
      close: () => stored.close(),
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

function readSettings(file: OpenFile, { metadata }: StoredTensors): KeptSettings {
  if (metadata.get('format') !== FORMAT) throw badFile(file, `must be a ${FORMAT}, is none`);
  const version = metadata.get('version');
  if (version !== VERSION) throw badFile(file, `must be of version ${VERSION} of the format, is of ${quoted(version)}`);
  const fields = parsed(file, 'settings', metadata.get('settings') ?? '');
  const refuse = (name: string, rule: string, value: unknown): LongformerError => badFile(file, `must have ${rule} as ${name} in its settings, has ${quoted(value)}`);
  if (!isObject(fields)) throw refuse('all', 'an object', fields);
  const { checkpoint, passages, vectors, attentionWindow, dtype, modulesToNotConvert = [] } = fields;
  if (checkpoint !== null && !(isObject(checkpoint) && typeof checkpoint['source'] === 'string' && isStringOrNull(checkpoint['revision']))) {
    throw refuse('checkpoint', 'source and revision, or null,', checkpoint);
  }
  const rules = isObject(passages) ? passages : {};
  if (!isOneOf(PASSAGES_BY, rules['by']) || !isCount(rules['maxTokens']) || !isCount(rules['overlap'])) throw refuse('passages', 'by, maxTokens and overlap', passages);
  if (!isOneOf(VECTORS, vectors)) throw refuse('vectors', `one of ${VECTORS.join(', ')}`, vectors);
  if (!isOneOf(DTYPES, dtype)) throw refuse('dtype', `one of ${DTYPES.join(', ')}`, dtype);
  if (!Array.isArray(modulesToNotConvert) || !modulesToNotConvert.every((name) => typeof name === 'string')) throw refuse('modulesToNotConvert', 'a list of names', modulesToNotConvert);
  if (!Array.isArray(attentionWindow)) throw refuse('attentionWindow', 'a list', attentionWindow);
  windowPerLayer(attentionWindow, attentionWindow.length, { code: 'BAD_FILE', subject: `${file.name}: attentionWindow` });
  const { by, maxTokens, overlap } = rules as unknown as PassageRules;
  return { checkpoint: checkpoint as KeptSettings['checkpoint'], passages: { by, maxTokens, overlap }, vectors, attentionWindow, dtype, modulesToNotConvert };
}

function checkShapes(file: OpenFile, { tensors }: StoredTensors): { passages: number; hiddenSize: number } {
  const [, hiddenSize = 0] = tensors.get('probe')?.shape ?? [];
  const [passages = 0] = tensors.get('spans')?.shape ?? [];
  const expected = { probe: ['F32', null, hiddenSize], spans: ['U32', passages, 2], vectors: ['F32', passages, hiddenSize], documents: ['U8', null], texts: ['U8', null] };
  for (const [name, [dtype, ...shape]] of Object.entries(expected)) {
    const tensor = tensors.get(name);
    const fits = tensor?.dtype === dtype && tensor.shape.length === shape.length && shape.every((size, i) => size === null || size === tensor.shape[i]);
    if (!fits) throw badFile(file, `must have ${name} of ${dtype} ${JSON.stringify(shape).replaceAll('null', '"any"')}, has ${quoted(tensor && [tensor.dtype, tensor.shape])}`);
  }
  if (hiddenSize === 0 || tensors.size !== Object.keys(expected).length) throw badFile(file, `must have the tensors ${Object.keys(expected).join(', ')} and vectors of some size`);
  return { passages, hiddenSize };
}

async function* readDocuments(
  { wasm, pause, progress }: Run, file: OpenFile, stored: StoredTensors, passages: number, hiddenSize: number,
): AsyncGenerator<[string, KeptDocument]> {
  const entries = await readEntries(file, stored, passages);
  const [spans, vectors, texts] = (['spans', 'vectors', 'texts'] as const).map((name) => new Cursor(stored, name)) as [Cursor, Cursor, Cursor];
  let done = 0;
  for (const { id, version, tokens, windows, passages: count, bytes } of entries) {
    await pause();
    const text = decoded(file, id, await texts.take(bytes));
    const own = new Uint32Array(await spans.take(8 * count));
    refuseOddSpans(file, id, own, text);
    const data = new Float32Array(await vectors.take(4 * hiddenSize * count));
    yield [id, { text, version, tokens, windows, spans: own, vectors: restored(wasm, file, id, hiddenSize, data) }];
    done += bytes + own.byteLength + data.byteLength;
    progress({ stage: 'load', name: file.name, done, total: file.size, unit: 'bytes' });
  }
  progress({ stage: 'load', name: file.name, done: file.size, total: file.size, unit: 'bytes' });
}

async function readEntries(file: OpenFile, stored: StoredTensors, passages: number): Promise<DocumentEntry[]> {
  const [sizeOfList, sizeOfTexts] = ['documents', 'texts'].map((name) => stored.tensors.get(name)!.shape[0]!) as [number, number];
  refuseLarger(`${file.name}, documents`, sizeOfList, MAX_JSON_BYTES);
  const list = parsed(file, 'documents', decoded(file, 'documents', await stored.read('documents')));
  if (!Array.isArray(list)) throw badFile(file, `must have a list of documents, got ${quoted(list)}`);
  const ids = new Set<unknown>();
  let [allPassages, allBytes] = [0, 0];
  for (const entry of list as unknown[]) {
    const { id, version, tokens, windows, passages, bytes } = (entry ?? {}) as Record<string, unknown>;
    if (typeof id !== 'string' || ids.has(id)) throw badFile(file, `must have an id for each document, each once, has ${quoted(id)}`);
    if (!isStringOrNull(version) || ![tokens, windows, passages, bytes].every(isCount)) {
      throw badFile(file, `must have version, tokens, windows, passages and bytes for each document, has ${quoted(entry)}`);
    }
    ids.add(id);
    allPassages += passages as number;
    allBytes += bytes as number;
  }
  if (allPassages !== passages || allBytes !== sizeOfTexts) {
    throw badFile(file, `must have documents for ${passages} passages and ${sizeOfTexts} bytes of text, has them for ${allPassages} and ${allBytes}`);
  }
  return list as DocumentEntry[];
}

function decoded(file: OpenFile, what: string, bytes: BufferSource): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badFile(file, `must have UTF-8 for ${quoted(what)}, has other bytes`, { cause });
  }
}

function refuseOddSpans(file: OpenFile, id: string, spans: Uint32Array, text: string): void {
  for (let i = 0; i < spans.length; i += 2) {
    const [start, end] = [spans[i]!, spans[i + 1]!];
    if (start >= end || end > text.length) {
      throw badFile(file, `must have passages inside their text, ${quoted(id)} of ${text.length} characters has one from ${start} to ${end}`);
    }
  }
}

function restored(wasm: Run['wasm'], file: OpenFile, id: string, hiddenSize: number, data: Float32Array): UnitVectors {
  try {
    return wasm.UnitVectors.restore(hiddenSize, data);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'BAD_INPUT') throw cause; // no memory, say
    throw badFile(file, `has no vectors for ${quoted(id)}: ${(cause as Error).message}`, { cause });
  }
}

/** A tensor from its beginning to its end, read in large pieces. */
class Cursor {
  #piece = new Uint8Array();
  #at = 0; // of the piece, what comes next
  #read = 0; // of the tensor
  readonly #size: number;

  constructor(private readonly stored: StoredTensors, private readonly name: string) {
    const { start, end } = stored.tensors.get(name)!;
    this.#size = end - start;
  }

  /** The next bytes, in a buffer of their own. */
  async take(bytes: number): Promise<ArrayBuffer> {
    const left = this.#piece.length - this.#at;
    if (bytes > left) {
      const end = Math.min(this.#size, this.#read + Math.max(bytes - left, READ_BYTES));
      const more = await this.stored.read(this.name, this.#read, end);
      const piece = new Uint8Array(left + more.length);
      piece.set(this.#piece.subarray(this.#at));
      piece.set(more, left);
      [this.#piece, this.#at, this.#read] = [piece, 0, end];
    }
    this.#at += bytes;
    return this.#piece.slice(this.#at - bytes, this.#at).buffer;
  }
}

// ---------------------------------------------------------------------------- checks

function parsed(file: OpenFile, what: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw badFile(file, `must have JSON as its ${what}, has ${quoted(json)}`, { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isOneOf<const T extends string>(choices: readonly T[], value: unknown): value is T {
  return (choices as readonly unknown[]).includes(value);
}
