// SearchIndex: passages of documents, found by what they mean. The caller's side; documents,
// vectors and model are in the engine's worker.

import { checkCallOptions } from '../arguments.ts';
import type { Engine } from '../engine/engine.ts';
import { LongformerError } from '../errors.ts';
import type { FileSource } from '../files/source.ts';
import { loadWith, unload, type Host, type LoadOptions } from '../loading.ts';
import type { LongCallOptions } from '../progress.ts';
import { quoted } from '../quoted.ts';
import type { PassageRules } from './passages.ts';
import type { Document, FoundPassage, ReadDocument } from './services.ts';

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
    checkCallOptions(options);
    const { passages = {}, vectors = 'both', attentionWindow = null, dtype = 'f32' } = options;
    const { loaded, ...host } = await loadWith(source, options, (engine, location, given) =>
      engine.call('createIndex', [location, { passages, vectors, attentionWindow, dtype }], given));
    return new SearchIndex(host, loaded);
  }

  /**
   * Reads documents. One whose id is there already is replaced. All of them are added or, after an
   * error or an abort, none.
   *
   * Nothing is cut: a document with more tokens than the checkpoint has positions is read in
   * windows that overlap, and the result says in how many.
   */
  async add(documents: readonly Document[], options: LongCallOptions = {}): Promise<ReadDocument[]> {
    return this.engine.call('addDocuments', [this.#id, checkDocuments(documents)], options);
  }

  /** Takes a document out. Whether it was there. */
  async remove(id: string): Promise<boolean> {
    return this.engine.call('removeDocument', [this.#id, checkString('id', id)]);
  }

  /** The passages nearest to a question in meaning, best first. */
  async search(query: string, options: LongCallOptions & { topK?: number } = {}): Promise<FoundPassage[]> {
    const { topK = 10 } = options;
    if (checkString('query', query).trim() === '') throw new LongformerError('BAD_INPUT', 'query', 'must not be blank');
    if (!Number.isInteger(topK) || topK < 1) {
      throw new LongformerError('BAD_INPUT', 'topK', `must be a whole number from 1, got ${quoted(topK)}`);
    }
    return this.engine.call('searchIndex', [this.#id, query, topK], options);
  }

  /** Frees the documents and the model, and ends the engine if it is the index's own. */
  async dispose(): Promise<void> {
    await unload(this.#host, 'disposeIndex', this.#id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function checkDocuments(documents: readonly Document[]): Document[] {
  if (!Array.isArray(documents)) throw new LongformerError('BAD_INPUT', 'documents', `must be a list, got ${quoted(documents)}`);
  const ids = new Set<string>();
  return (documents as readonly (Document | null)[]).map((document, i) => {
    const id = checkString(`documents[${i}].id`, document?.id);
    const text = checkString(`documents[${i}].text`, document?.text);
    if (ids.has(id)) throw new LongformerError('BAD_INPUT', `documents[${i}].id`, `must be there once, ${quoted(id)} is there again`);
    ids.add(id);
    return { id, text };
  });
}

function checkString(subject: string, value: unknown): string {
  if (typeof value !== 'string') throw new LongformerError('BAD_INPUT', subject, `must be a string, got ${quoted(value)}`);
  return value;
}
