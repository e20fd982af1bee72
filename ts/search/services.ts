// Search indexes in the engine's worker: documents are tokenized and read here, their vectors stay.

import { bandsOf } from '../config.ts';
import type { Run } from '../engine/services.ts';
import { LongformerError } from '../errors.ts';
import type { Location } from '../files/source-options.ts';
import { disposeModel, encoderOf, loadModelFrom, type ModelSettings } from '../models/services.ts';
import { quoted } from '../quoted.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { aloneReading, openDocument, type OpenDocument, type ReadingRules } from './document.ts';
import type { Passage, PassageRules } from './passages.ts';
import { countTokens, readAll, type Reading } from './reading.ts';
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
}

/** What was read of a document. */
export interface ReadDocument {
  id: string;
  /** Its tokens, special ones included. */
  tokens: number;
  /** Passes that it took to read the document as a whole: more than 1 where it has more tokens than the checkpoint has positions. */
  windows: number;
  passages: number;
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
  documents: Map<string, IndexedDocument>;
}

interface IndexedDocument {
  text: string;
  passages: readonly Passage[];
  vectors: UnitVectors; // [passages, hidden_size]
}

const DEFAULT_MAX_TOKENS = 200;

/** Below this, a passage could be less than a word. */
const LEAST_MAX_TOKENS = 16;

const indexes = new Map<number, Index>();
let lastId = 0;

/** Loads the encoder and the tokenizer of a checkpoint. `location` as for `loadModel`. */
export async function createIndex(run: Run, location: Location | null, settings: IndexSettings): Promise<number> {
  const source = await run.open(location); // once: all files are of one commit
  const tokenizer = await loadTokenizer(source);
  const { attentionWindow } = settings;
  const { id: modelId, config, maxTokens } = await loadModelFrom(run, 'LongformerModel', source, settings);
  try {
    if (tokenizer.vocabSize > config.vocab_size) {
      throw new LongformerError('BAD_FILE', 'the tokenizer', `must fit the checkpoint's ${config.vocab_size} word embeddings, has ${tokenizer.vocabSize} ids`);
    }
    const passages = checkPassages(settings.passages, maxTokens);
    checkRoom(tokenizer, passages, maxTokens);
    const rules = {
      passages,
      vectors: checkChoice('vectors', settings.vectors, ['late', 'alone', 'both']),
      maxTokens,
      hiddenSize: config.hidden_size,
    };
    indexes.set(++lastId, { modelId, tokenizer, rules, attentionWindow, documents: new Map() });
    return lastId;
  } catch (error) {
    disposeModel(run, modelId);
    throw error;
  }
}

/** All of them or, after an error or an abort, none. */
export function addDocuments(run: Run, id: number, documents: readonly Document[]): ReadDocument[] {
  const index = indexOf(id);
  const opened = openAll(run, index, documents);
  read(run, index, opened.flatMap(({ late }) => late), opened.flatMap(({ alone }) => alone));
  const indexed = withVectors(run, index, opened);
  for (const [documentId, document] of indexed) {
    removeDocument(run, id, documentId);
    index.documents.set(documentId, document);
  }
  return opened.map(({ id, tokens, late, passages }) => ({ id, tokens, windows: late.length, passages: passages.length }));
}

/** Whether it was there. */
export function removeDocument(_run: Run, id: number, documentId: string): boolean {
  const { documents } = indexOf(id);
  documents.get(documentId)?.vectors.free();
  return documents.delete(documentId);
}

export function searchIndex(run: Run, id: number, query: string, topK: number): FoundPassage[] {
  const index = indexOf(id);
  const queryVector = new Float32Array(index.rules.hiddenSize);
  read(run, index, [], [aloneReading(index.tokenizer, query, index.rules, { vectors: queryVector, firstVector: 0, name: 'query' })]);
  const unitQuery = new run.wasm.UnitVectors(index.rules.hiddenSize, queryVector);
  try {
    const found = [...index.documents].flatMap(([id, { text, passages, vectors }]) => {
      const scores = vectors.scores(unitQuery);
      return passages.map((passage, i) => ({ id, text, passage, score: scores[i]! }));
    });
    found.sort((a, b) => b.score - a.score);
    return found.slice(0, topK).map(({ id, text, passage: { start, end }, score }) => ({ id, start, end, text: text.slice(start, end), score }));
  } finally {
    unitQuery.free();
  }
}

export function disposeIndex(run: Run, id: number): void {
  const index = indexes.get(id);
  if (index === undefined) return;
  for (const { vectors } of index.documents.values()) vectors.free();
  disposeModel(run, index.modelId);
  indexes.delete(id);
}

function indexOf(id: number): Index {
  const index = indexes.get(id);
  if (index === undefined) throw new LongformerError('BAD_INPUT', 'the index', 'was disposed');
  return index;
}

function openAll(run: Run, { tokenizer, rules }: Index, documents: readonly Document[]): OpenDocument[] {
  const sizes = documents.map(({ text }) => new TextEncoder().encode(text).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  return documents.map(({ id, text }, i) => {
    run.checkAbort();
    const document = openDocument(tokenizer, rules, id, text);
    done += sizes[i]!;
    run.progress({ stage: 'tokenize', name: id, done, total, unit: 'bytes' });
    return document;
  });
}

function read(run: Run, { modelId, attentionWindow }: Index, late: readonly Reading[], alone: readonly Reading[]): void {
  const model = encoderOf(modelId);
  const lateTokens = countTokens(late);
  const total = lateTokens + countTokens(alone);
  const progress = (done: number, name: string): void => run.progress({ stage: 'forward', name, done, total, unit: 'tokens' });
  readAll(run, model, late, bandsOf(model.config, attentionWindow ?? undefined), progress);
  if (alone.length === 0) return;
  const longest = alone.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 0);
  // So many keys per side that every token sees all of the passage.
  readAll(run, model, alone, bandsOf(model.config, 2 * longest), (done, name) => progress(lateTokens + done, name));
}

/** What stays of documents, by id; their readings do not. */
function withVectors(run: Run, index: Index, opened: readonly OpenDocument[]): Map<string, IndexedDocument> {
  const indexed = new Map<string, IndexedDocument>();
  try {
    for (const { id, text, passages, late, alone } of opened) {
      indexed.set(id, { text, passages, vectors: vectorsOf(run, index, late, alone) });
    }
    return indexed;
  } catch (error) {
    for (const { vectors } of indexed.values()) vectors.free();
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

/** A window holds special tokens, a passage and more: windows overlap by a passage. */
function checkRoom(tokenizer: Tokenizer, passages: PassageRules, positions: number): void {
  const special = tokenizer.encode('').specialTokensMask.filter((flag) => flag === 1).length;
  if (positions - special > passages.maxTokens) return;
  throw new LongformerError('BAD_FILE', 'the tokenizer',
    `must leave room for more than a passage of ${passages.maxTokens} tokens in ${positions} positions, its special tokens take ${special}`);
}

function checkPassages(given: Partial<PassageRules>, positions: number): PassageRules {
  const most = positions >> 1; // so that windows of so many positions can overlap by a passage
  const by = checkChoice('passages.by', given.by ?? 'paragraph', ['paragraph', 'sentence', 'tokens']);
  const maxTokens = given.maxTokens ?? Math.min(DEFAULT_MAX_TOKENS, most);
  if (!Number.isInteger(maxTokens) || maxTokens < LEAST_MAX_TOKENS || maxTokens > most) {
    throw new LongformerError('BAD_INPUT', 'passages.maxTokens',
      `must be a whole number from ${LEAST_MAX_TOKENS} to ${most}, half of the checkpoint's ${positions} positions, got ${quoted(maxTokens)}`);
  }
  const overlap = given.overlap ?? (by === 'tokens' ? maxTokens >> 2 : 0);
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= maxTokens >> 1) {
    throw new LongformerError('BAD_INPUT', 'passages.overlap', `must be a whole number below half of maxTokens = ${maxTokens}, got ${quoted(overlap)}`);
  }
  if (by !== 'tokens' && overlap !== 0) {
    throw new LongformerError('BAD_INPUT', 'passages.overlap', `must be left out unless passages go by tokens, got ${overlap} by ${by}`);
  }
  return { by, maxTokens, overlap };
}

function checkChoice<T extends string>(subject: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw new LongformerError('BAD_INPUT', subject, `must be ${choices.map((choice) => `"${choice}"`).join(', ').replace(/, ([^,]*)$/, ' or $1')}, got ${quoted(value)}`);
}
