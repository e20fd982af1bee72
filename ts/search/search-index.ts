// SearchIndex: passages of documents, found by what they mean. The caller's side; documents,
// vectors and model are in the engine's worker.

import { CALL_OPTIONS, checkCallOptions, checkCount, checkNames, checkObject, type Names } from '../arguments.ts';
import type { Engine } from '../engine/engine.ts';
import { LongformerError } from '../errors.ts';
import type { FileSource } from '../files/source.ts';
import { LOAD_OPTIONS, loadWith, modelSettings, unload, type Host, type LoadOptions } from '../loading.ts';
import { tell, type LongCallOptions } from '../progress.ts';
import { quoted } from '../quoted.ts';
import { openIndexFile, type KeptSettings } from './index-file.ts';
import type { PassageRules } from './passages.ts';
import { openPlace, writeTo } from './places.ts';
import type { Document, DocumentSummary, FoundPassage, ReadDocument } from './services.ts';

export interface SearchIndexOptions extends LoadOptions {
  /** How documents are divided. */
  passages?: {
    /** Default `paragraph`: what blank lines and headings divide; code fences stay whole where they fit. */
    by?: PassageRules['by'];
    /** Tokens that a passage has at most. Default 200. */
    maxTokens?: number;
    /** With `by: 'tokens'`: tokens that a passage shares with the one before it. Default a quarter of `maxTokens`. */
    overlap?: number;
  };
  /**
   * What a passage is known by: its part of a reading of the whole document (`late`), a reading of
   * the passage by itself (`alone`), or the normalised sum. Default `both`.
   */
  vectors?: 'late' | 'alone' | 'both';
}

export const INDEX_OPTIONS: Names<SearchIndexOptions> = { passages: true, vectors: true, ...LOAD_OPTIONS };

const PASSAGES: Names<NonNullable<SearchIndexOptions['passages']>> = { by: true, maxTokens: true, overlap: true };

export interface KeptIndexOptions extends SearchIndexOptions {
  /**
   * The checkpoint. Default: what the index was made from, by the name that it had then. Must be given
   * where that was no name (files of a caller's), or is the address of a web server.
   */
  source?: string | URL | FileSource;
}

const DOCUMENT: Names<Document> = { id: true, text: true, version: true };

const KEPT_OPTIONS: Names<KeptIndexOptions> = { source: true, ...INDEX_OPTIONS };

/**
 * Passages of documents, found by what they mean, and kept in a file.
 *
 * @example
 * ```js
 * import { SearchIndex } from 'longformer-wasm';
 *
 * const index = await SearchIndex.create('models/embedder');
 * await index.add([{ id: 'letters', text: 'a b c\n\nd e f' }, { id: 'more', text: 'x y' }]);
 * const [best] = await index.search('x y', { topK: 3 });
 * console.log(best.id, best.start, best.end, best.text); // => 'more', 0, 3, 'x y'
 * await index.save('letters.index');
 * await index.dispose();
 *
 * const again = await SearchIndex.load('letters.index');
 * const [read] = await again.add([{ id: 'more', text: 'x y' }]);
 * console.log(read.unchanged); // => true
 * await again.dispose();
 * ```
 */
export class SearchIndex {
  readonly engine: Engine;
  readonly #id: number;
  readonly #host: Host;

  private constructor(host: Host, id: number) {
    this.engine = host.engine;
    this.#host = host;
    this.#id = id;
  }

  /**
   * An empty index over a checkpoint that embeds texts: config.json, the weights (as
   * `LongformerModel.fromPretrained` finds them) and the files of the tokenizer.
   *
   * Rejects with `BAD_INPUT` for an option, and as `LongformerModel.fromPretrained` does.
   */
  static async create(source: string | URL | FileSource, options: SearchIndexOptions = {}): Promise<SearchIndex> {
    checkIndexOptions('SearchIndex.create', options, INDEX_OPTIONS);
    const { passages = {}, vectors = 'both' } = options;
    const { loaded, ...host } = await loadWith(source, options, (engine, location, given) =>
      engine.call('createIndex', [location, { ...modelSettings(options), passages, vectors }], given));
    return new SearchIndex(host, loaded);
  }

  /**
   * An index that `save` wrote: a path, a `file:` URL or a Blob.
   *
   * It reads further documents, and questions, as it did before; `passages`, `vectors` and
   * `attentionWindow` may be left out, or must be what they were. Rejects with `BAD_FILE` for a file that
   * is none or is damaged, and where the checkpoint gives other vectors than the one that it was made with.
   */
  static async load(file: string | URL | Blob, options: KeptIndexOptions = {}): Promise<SearchIndex> {
    checkIndexOptions('SearchIndex.load', options, KEPT_OPTIONS);
    options.signal?.throwIfAborted();
    const opened = await openPlace(file);
    const { settings, close } = await openIndexFile(opened);
    try {
      const { source: given, ...others } = options;
      const source = given ?? recordedSource(opened.name, settings.checkpoint);
      const revision = options.revision ?? (given === undefined ? settings.checkpoint?.revision : null) ?? undefined;
      const index = await this.create(source, { ...others, revision, ...settingsFor(options, settings) }).catch((error: unknown) => {
        throw blamingFile(error, opened.name, options);
      });
      try {
        const { signal, onProgress } = options;
        await index.engine.call('restoreIndex', [index.#id, opened.name], { signal, onProgress, files: { label: opened.name, open: async () => openPlace(file) } });
        return index;
      } catch (error) {
        await index.dispose();
        throw error;
      }
    } finally {
      await close();
    }
  }

  /**
   * Writes the index to a file that `load` reads: its documents with their texts, and their vectors. A
   * file appears whole or not at all, in the place of one that is there; a stream is closed at the end.
   *
   * Searches go on meanwhile, and what is added or removed meanwhile is not part of the file.
   */
  async save(target: string | URL | WritableStream<Uint8Array>, options: LongCallOptions = {}): Promise<void> {
    checkCallOptions('index.save', options, CALL_OPTIONS);
    const { engine } = this;
    const { signal, onProgress } = options;
    const { saving, bytes: total } = await engine.call('startSaving', [this.#id], { signal });
    async function* pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      for (let done = 0; done < total;) {
        const piece = (await engine.call('nextPiece', [saving], { signal }))!;
        yield piece;
        done += piece.length;
        tell(onProgress, { stage: 'save', done, total, unit: 'bytes' });
      }
    }
    try {
      await writeTo(target, pieces());
    } finally {
      await engine.call('endSaving', [saving]).catch(() => {}); // an engine that is gone has ended it
    }
  }

  /**
   * Reads documents. One whose id is there already is replaced, or left as it is where its text is the
   * same: that takes no time, and the result says `unchanged`. All of them are added or, after an error
   * or an abort, none.
   *
   * Nothing is cut: a document with more tokens than the checkpoint has positions is read in
   * windows that overlap, and the result says in how many.
   */
  async add(documents: readonly Document[], options: LongCallOptions = {}): Promise<ReadDocument[]> {
    checkCallOptions('index.add', options, CALL_OPTIONS);
    return this.engine.call('addDocuments', [this.#id, checkDocuments(documents)], options);
  }

  /** Takes a document out. Whether it was there. */
  async remove(id: string): Promise<boolean> {
    return await this.engine.call('removeDocuments', [this.#id, [checkString('id', id)]]) > 0;
  }

  /** What is there, in the order in which it was added. */
  async documents(): Promise<DocumentSummary[]> {
    return this.engine.call('listDocuments', [this.#id]);
  }

  /** A document with its text, or null where there is none of that id. */
  async get(id: string): Promise<Document | null> {
    return this.engine.call('getDocument', [this.#id, checkString('id', id)]);
  }

  /** The passages nearest to a question in meaning, best first. */
  async search(query: string, options: LongCallOptions & { topK?: number } = {}): Promise<FoundPassage[]> {
    checkCallOptions('index.search', options, { topK: true, ...CALL_OPTIONS });
    const { topK = 10, signal, onProgress } = options;
    if (checkString('query', query).trim() === '') throw new LongformerError('BAD_INPUT', 'query', 'must not be blank');
    return this.engine.call('searchIndex', [this.#id, query, checkCount(topK, 'topK')], { signal, onProgress });
  }

  /** Frees the documents and the model, and ends the engine if it is the index's own. */
  async dispose(): Promise<void> {
    await unload(this.#host, 'disposeIndex', this.#id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function checkIndexOptions(call: string, options: SearchIndexOptions, known: Names<SearchIndexOptions>): void {
  checkCallOptions(call, options, known);
  if (options.passages === undefined) return;
  checkObject(options.passages, 'passages');
  checkNames(`the passages of ${call}`, options.passages, PASSAGES);
}

function checkDocuments(documents: readonly Document[]): Document[] {
  if (!Array.isArray(documents)) throw new LongformerError('BAD_INPUT', 'documents', `must be a list, got ${quoted(documents)}`);
  const ids = new Set<string>();
  return (documents as readonly Document[]).map((document, i) => {
    checkObject(document, `documents[${i}]`);
    checkNames(`documents[${i}]`, document, DOCUMENT, 'field');
    const id = checkString(`documents[${i}].id`, document.id);
    const text = checkString(`documents[${i}].text`, document.text);
    const version = document.version === undefined ? {} : { version: checkString(`documents[${i}].version`, document.version) };
    if (ids.has(id)) throw new LongformerError('BAD_INPUT', `documents[${i}].id`, `must be there once, ${quoted(id)} is there again`);
    ids.add(id);
    return { id, text, ...version };
  });
}

function checkString(subject: string, value: unknown): string {
  if (typeof value !== 'string') throw new LongformerError('BAD_INPUT', subject, `must be a string, got ${quoted(value)}`);
  return value;
}

/** A file may come from anyone: what it names is opened where that is a folder or an id of the Hub, and no address is called on its word. */
function recordedSource(name: string, checkpoint: KeptSettings['checkpoint']): string {
  if (checkpoint !== null && !/^https?:/i.test(checkpoint.source)) return checkpoint.source;
  throw new LongformerError('BAD_INPUT', 'source', `must be given: ${name} was made with ${checkpoint === null ? 'files of no name' : checkpoint.source}`);
}

/** What an index was made with, for the checkpoint to be opened alike. */
function settingsFor(options: KeptIndexOptions, { passages, vectors, attentionWindow, dtype, modulesToNotConvert }: KeptSettings): SearchIndexOptions {
  const same = (subject: string, given: unknown, kept: unknown): void => {
    if (given === undefined || JSON.stringify(given) === JSON.stringify(kept)) return;
    throw new LongformerError('BAD_INPUT', subject, `must be what the index was made with, ${quoted(kept)}, got ${quoted(given)}`);
  };
  same('vectors', options.vectors, vectors);
  for (const name of ['by', 'maxTokens', 'overlap'] as const) same(`passages.${name}`, options.passages?.[name], passages[name]);
  const { attentionWindow: window } = options;
  same('attentionWindow', typeof window === 'number' ? attentionWindow.map(() => window) : window, attentionWindow);
  return { passages, vectors, attentionWindow: [...attentionWindow], dtype: options.dtype ?? dtype, modulesToNotConvert: options.modulesToNotConvert ?? [...modulesToNotConvert] };
}

/** An option that is refused, and that the caller did not give, is the file's. */
function blamingFile(error: unknown, name: string, options: KeptIndexOptions): unknown {
  if (!(error instanceof LongformerError) || error.code !== 'BAD_INPUT' || (options as Record<string, unknown>)[error.subject] !== undefined) return error;
  if (!/^(passages|attentionWindow|modulesToNotConvert|revision|source)\b/.test(error.subject)) return error;
  return new LongformerError('BAD_FILE', name, `must fit the checkpoint: ${error.message}`, { cause: error });
}
