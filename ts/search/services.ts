// Search indexes in the engine's worker: documents are tokenized and read here, their vectors stay.

import { checkChoice } from '../arguments.ts';
import { bandsOf } from '../config.ts';
import type { Dtype } from '../dtype.ts';
import type { Run } from '../engine/services.ts';
import { LongformerError } from '../errors.ts';
import type { Location } from '../files/source-options.ts';
import { disposeModel, encoderOf, loadModelFrom, type ModelSettings } from '../models/services.ts';
import { readSentenceModules } from '../pipelines/sentence-modules.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { aloneReading, openDocument, type OpenDocument, type ReadingRules } from './document.ts';
import { indexFile, openIndexFile, piecesOf, type KeptDocument } from './index-file.ts';
import type { PassageRules } from './passages.ts';
import { PROBE, refuseOther } from './probe.ts';
import { countTokens, readAll, type Reading } from './reading.ts';
import { checkPassages, checkRoom, VECTORS } from './rules.ts';
import type { UnitVectors } from '../../pkg/threads-simd128/longformer.js';

/** How an index reads; what is missing has a default. */
interface IndexSettings extends ModelSettings {
  passages: Partial<PassageRules>;
  vectors: ReadingRules['vectors'];
}

export interface Document {
  /** Its name in the index and in results. */
  id: string;
  text: string;
  /** What its text was made of, as the caller calls it: a file's hash, a date. The index keeps it, and gives it back. */
  version?: string;
}

/** What is known of a document without its text. */
export interface DocumentSummary {
  id: string;
  version?: string;
  /** Its tokens, special ones included. */
  tokens: number;
  /** Passes that it took to read the document as a whole: more than 1 where it has more tokens than the checkpoint has positions. */
  windows: number;
  passages: number;
}

/** What was read of a document. */
export interface ReadDocument extends DocumentSummary {
  /** True: it was there with the same text, and was not read again. */
  unchanged: boolean;
}

/** `text` is `slice(start, end)` of the document's. */
export interface FoundPassage {
  id: string;
  start: number;
  end: number;
  text: string;
  /** Cosine between the question and the passage, -1 to 1. */
  score: number;
}

interface Index {
  modelId: number;
  tokenizer: Tokenizer;
  rules: ReadingRules;
  attentionWindow: number | number[] | null;
  dtype: Dtype;
  modulesToNotConvert: readonly string[];
  /** Where the checkpoint came from; null: files of the caller's. */
  checkpoint: { source: string; revision: string | null } | null;
  documents: Map<string, KeptDocument>;
  /** How many are writing the index to a file, and what must stay until they are done. */
  saving: number;
  removed: UnitVectors[];
}

/** Bytes of a file that are written at once. */
const PIECE_BYTES = 2 ** 20;

const indexes = new Map<number, Index>();
const savings = new Map<number, { index: Index; pieces: AsyncGenerator<Uint8Array<ArrayBuffer>> }>();
let lastId = 0;

/** Loads the encoder and the tokenizer of a checkpoint. `location` as for `loadModel`. */
export async function createIndex(run: Run, location: Location | null, settings: IndexSettings): Promise<number> {
  const source = await run.open(location); // once: all files are of one commit
  const tokenizer = await loadTokenizer(source);
  const { pooling } = await readSentenceModules(source);
  const { attentionWindow, dtype, modulesToNotConvert } = settings;
  const { id: modelId, config, maxTokens } = await loadModelFrom(run, 'LongformerModel', source, settings);
  try {
    if (tokenizer.vocabSize > config.vocab_size) {
      throw new LongformerError('BAD_FILE', 'the tokenizer', `must fit the checkpoint's ${config.vocab_size} word embeddings, has ${tokenizer.vocabSize} ids`);
    }
    const passages = checkPassages(settings.passages, maxTokens);
    checkRoom(tokenizer, passages, maxTokens);
    const rules = { passages, vectors: checkChoice(settings.vectors, 'vectors', VECTORS), maxTokens, hiddenSize: config.hidden_size, pooling };
    const checkpoint = location && { source: location.source, revision: source.commit ?? location.revision ?? null };
    const id = ++lastId;
    indexes.set(id, { modelId, tokenizer, rules, attentionWindow, dtype, modulesToNotConvert, checkpoint, documents: new Map(), saving: 0, removed: [] });
    run.onEnd(() => indexes.delete(id));
    return id;
  } catch (error) {
    disposeModel(run, modelId);
    throw error;
  }
}

/** All of them or, after an error or an abort, none. What is there with the same text stays as it is. */
export async function addDocuments(run: Run, id: number, documents: readonly Document[]): Promise<ReadDocument[]> {
  const index = indexOf(id);
  const changed = documents.filter(({ id, text }) => index.documents.get(id)?.text !== text);
  const opened = await openAll(run, index, changed);
  await read(run, index, opened.flatMap(({ late }) => late), opened.flatMap(({ alone }) => alone));
  for (const [documentId, document] of withVectors(run, index, opened)) {
    removeDocuments(run, id, [documentId]);
    index.documents.set(documentId, document);
  }
  const ids = new Set(changed.map(({ id }) => id));
  return documents.map(({ id, version = null }) => {
    const document = index.documents.get(id)!;
    document.version = version;
    return { ...summaryOf(id, document), unchanged: !ids.has(id) };
  });
}

/** How many of them were there. */
export function removeDocuments(_run: Run, id: number, documentIds: readonly string[]): number {
  const index = indexOf(id);
  const there = documentIds.filter((documentId) => index.documents.has(documentId));
  for (const documentId of there) {
    const { vectors } = index.documents.get(documentId)!;
    if (index.saving > 0) index.removed.push(vectors);
    else vectors.free();
    index.documents.delete(documentId);
  }
  return there.length;
}

export function listDocuments(_run: Run, id: number): DocumentSummary[] {
  return [...indexOf(id).documents].map(([id, document]) => summaryOf(id, document));
}

export function getDocument(_run: Run, id: number, documentId: string): Document | null {
  const document = indexOf(id).documents.get(documentId);
  if (document === undefined) return null;
  const { text, version } = document;
  return { id: documentId, text, ...(version !== null && { version }) };
}

export async function searchIndex(run: Run, id: number, query: string, topK: number): Promise<FoundPassage[]> {
  const index = indexOf(id);
  const queryVector = new Float32Array(index.rules.hiddenSize);
  await read(run, index, [], [aloneReading(index.tokenizer, query, index.rules, { vectors: queryVector, firstVector: 0, name: 'query' })]);
  return nearest(run, index, queryVector, topK);
}

/** A vector's nearest passages, best first; of equals the one that was added first. */
function nearest({ wasm }: Run, { rules, documents }: Index, queryVector: Float32Array, topK: number): FoundPassage[] {
  const query = new wasm.UnitVectors(rules.hiddenSize, queryVector);
  let best: InstanceType<Run['wasm']['Nearest']> | null = null;
  try {
    best = new wasm.Nearest(query, Math.min(topK, 2 ** 32 - 1));
    const looked: { id: string; document: KeptDocument; first: number }[] = [];
    let passages = 0;
    for (const [id, document] of documents) {
      best.look(document.vectors);
      looked.push({ id, document, first: passages });
      passages += document.spans.length / 2;
    }
    const scores = best.scores();
    return Array.from(best.places(), (place, i) => {
      const { id, document: { text, spans }, first } = lastUpTo(looked, place);
      const [start, end] = spans.subarray(2 * (place - first)) as unknown as [number, number];
      return { id, start, end, text: text.slice(start, end), score: scores[i]! };
    });
  } finally {
    best?.free();
    query.free();
  }
}

/** The last whose first passage is at most `place`. One without passages comes before the one that has its place. */
function lastUpTo<T extends { first: number }>(looked: readonly T[], place: number): T {
  let [low, high] = [0, looked.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (looked[middle]!.first <= place) low = middle;
    else high = middle;
  }
  return looked[low]!;
}

// ---------------------------------------------------------------------------- kept in a file

/** Makes ready to write the index as it is now to a file of `bytes`. To be ended, whatever comes of it. */
export async function startSaving(run: Run, id: number): Promise<{ saving: number; bytes: number }> {
  const index = indexOf(id);
  const { rules: { passages, vectors, hiddenSize }, dtype, modulesToNotConvert, checkpoint } = index;
  const attentionWindow = bandsOf(encoderOf(index.modelId).config, index.attentionWindow ?? undefined).map(({ oneSidedWindow }) => 2 * oneSidedWindow);
  const file = await indexFile({ checkpoint, passages, vectors, attentionWindow, dtype, modulesToNotConvert }, hiddenSize, await probe(run, index), index.documents);
  index.saving++;
  const saving = ++lastId;
  savings.set(saving, { index, pieces: piecesOf(file.chunks, PIECE_BYTES) });
  run.onEnd(() => savings.delete(saving));
  return { saving, bytes: file.bytes };
}

/** The next bytes of the file; null: that was all. */
export async function nextPiece(_run: Run, saving: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const { value, done } = await savings.get(saving)!.pieces.next();
  return done ? null : value;
}

export function endSaving(_run: Run, saving: number): void {
  const { index } = savings.get(saving)!;
  savings.delete(saving);
  if (--index.saving === 0) for (const vectors of index.removed.splice(0)) vectors.free();
}

/** Fills an empty index from a file that the caller brings. */
export async function restoreIndex(run: Run, id: number, name: string): Promise<void> {
  const index = indexOf(id);
  const file = await openIndexFile((await (await run.open(null)).open(name))!);
  try {
    const { hiddenSize } = index.rules;
    const made = index.checkpoint?.source ?? 'other files';
    refuseOther(run, file.name, made, hiddenSize, await probe(run, index), await file.probe());
    reserve(run, file.passages, hiddenSize);
    for await (const [documentId, document] of file.documents(run)) index.documents.set(documentId, document);
  } finally {
    await file.close();
  }
}

/**
 * Makes the memory large enough for so many vectors, or throws `OUT_OF_MEMORY` before any is read. A
 * memory that is not shared is copied by Node 20 each time it grows, which takes longer than the reading.
 */
function reserve({ wasm }: Run, passages: number, hiddenSize: number): void {
  if (passages > 0) new wasm.Table(wasm.Storage.F32, passages, hiddenSize).free(); // what is freed stays the engine's
}

/** The vectors of a text that is always the same, by which the checkpoint is known again. */
async function probe(listening: Run, index: Index): Promise<Float32Array> {
  const run = { ...listening, progress() {} }; // no text of the caller's
  const opened = openDocument(index.tokenizer, index.rules, 'probe', PROBE);
  await read(run, index, opened.late, opened.alone);
  const vectors = vectorsOf(run, index, opened.late, opened.alone);
  try {
    return vectors.read();
  } finally {
    vectors.free();
  }
}

export function disposeIndex(run: Run, id: number): void {
  const index = indexes.get(id);
  if (index === undefined) return;
  removeDocuments(run, id, [...index.documents.keys()]);
  disposeModel(run, index.modelId);
  indexes.delete(id);
}

// ---------------------------------------------------------------------------- reading

function indexOf(id: number): Index {
  const index = indexes.get(id);
  if (index === undefined) throw new LongformerError('BAD_INPUT', 'the index', 'was disposed');
  return index;
}

function summaryOf(id: string, { version, tokens, windows, spans }: KeptDocument): DocumentSummary {
  return { id, ...(version !== null && { version }), tokens, windows, passages: spans.length / 2 };
}

async function openAll(run: Run, { tokenizer, rules }: Index, documents: readonly Document[]): Promise<OpenDocument[]> {
  const sizes = documents.map(({ text }) => new TextEncoder().encode(text).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const opened: OpenDocument[] = [];
  for (const [i, { id, text }] of documents.entries()) {
    await run.pause();
    opened.push(openDocument(tokenizer, rules, id, text));
    done += sizes[i]!;
    run.progress({ stage: 'tokenize', name: id, done, total, unit: 'bytes' });
  }
  return opened;
}

async function read(run: Run, { modelId, attentionWindow, rules }: Index, late: readonly Reading[], alone: readonly Reading[]): Promise<void> {
  const model = encoderOf(modelId);
  const lateTokens = countTokens(late);
  const total = lateTokens + countTokens(alone);
  const progress = (done: number, name: string): void => run.progress({ stage: 'forward', name, done, total, unit: 'tokens' });
  const pooling = rules.pooling === 'max' ? 'max' : 'mean';
  await readAll(run, model, late, bandsOf(model.config, attentionWindow ?? undefined), pooling, progress);
  if (alone.length === 0) return;
  const longest = alone.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 0);
  // So many keys per side that every token sees all of the passage.
  await readAll(run, model, alone, bandsOf(model.config, 2 * longest), pooling, (done, name) => progress(lateTokens + done, name));
}

/** What stays of documents, by id; their readings do not. */
function withVectors(run: Run, index: Index, opened: readonly OpenDocument[]): Map<string, KeptDocument> {
  const kept = new Map<string, KeptDocument>();
  try {
    for (const { id, text, tokens, passages, late, alone } of opened) {
      const spans = Uint32Array.from(passages.flatMap(({ start, end }) => [start, end]));
      kept.set(id, { text, version: null, tokens, windows: late.length, spans, vectors: vectorsOf(run, index, late, alone) });
    }
    return kept;
  } catch (error) {
    for (const { vectors } of kept.values()) vectors.free();
    throw error;
  }
}

function vectorsOf({ wasm }: Run, { rules }: Index, late: readonly Reading[], alone: readonly Reading[]): UnitVectors {
  const [first = new Float32Array(), ...others] = [late, alone].flatMap((readings) => readings[0]?.vectors ?? []);
  const sum = new wasm.UnitVectors(rules.hiddenSize, first);
  try {
    for (const data of others) {
      const other = new wasm.UnitVectors(rules.hiddenSize, data);
      try {
        sum.add(other);
      } finally {
        other.free();
      }
    }
    return sum;
  } catch (error) {
    sum.free();
    throw error;
  }
}
