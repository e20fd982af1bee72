// An index that `search --index` keeps in a file: made or opened, and brought up to date.
//
// Documents are called by their place as seen from the index's own folder, so that both can move
// together, and whatever the current directory is.

import { stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { isDirectory } from '../files/directory.ts';
import type { LongCallOptions } from '../progress.ts';
import { SearchIndex, type SearchIndexOptions } from '../search/search-index.ts';
import type { ReadDocument } from '../search/services.ts';
import { readModelName } from './model-options.ts';
import type { VersionedFile } from './texts.ts';

/** What is read between two looks at the clock, in characters. */
const BATCH = 2 ** 21;

/** An interruption costs this much work at most. */
const SAVE_EVERY_MILLISECONDS = 60_000;

export class KeptIndex {
  private changed: boolean;
  private savedAt = performance.now();

  private constructor(readonly index: SearchIndex, readonly file: string, isNew: boolean) {
    this.changed = isNew;
  }

  /** The index in `file`, or a new one if there is none; then `values` must name a model. */
  static async open(file: string, values: { readonly model: string | undefined }, options: SearchIndexOptions): Promise<KeptIndex> {
    const isThere = await stat(file).then(() => true, () => false);
    if (isThere) {
      const source = values.model === undefined ? {} : { source: values.model };
      return new KeptIndex(await SearchIndex.load(file, { ...options, ...source }), file, false);
    }
    const model = readModelName(values);
    return new KeptIndex(await SearchIndex.create(await isDirectory(model) ? resolve(model) : model, options), file, true);
  }

  idOf(path: string): string {
    return relative(dirname(resolve(this.file)), resolve(path)).split(sep).join('/');
  }

  /** The document's file, as seen from here. */
  pathOf(id: string): string {
    return relative('.', resolve(dirname(this.file), id)) || '.';
  }

  /** Reads what is new or changed. */
  async add(texts: readonly VersionedFile[], watched: LongCallOptions): Promise<ReadDocument[]> {
    const read: ReadDocument[] = [];
    for (const batch of batchesOf(texts)) {
      if (read.length > 0 && performance.now() - this.savedAt > SAVE_EVERY_MILLISECONDS) await this.save(watched);
      read.push(...await this.index.add(batch.map(({ path, text, version }) => ({ id: this.idOf(path), text, version })), watched));
      this.changed = true;
    }
    return read;
  }

  /** Takes out documents whose files are gone, and those of `ids`. Those that were there. */
  async remove(ids: readonly string[]): Promise<string[]> {
    const unwanted = new Set(ids);
    const removed: string[] = [];
    for (const { id } of await this.index.documents()) {
      const isGone = unwanted.has(id) || !await stat(this.pathOf(id)).then((found) => found.isFile(), () => false);
      if (isGone && await this.index.remove(id)) removed.push(id);
    }
    this.changed ||= removed.length > 0;
    return removed;
  }

  /** Writes the file if anything has changed. */
  async save(watched: LongCallOptions): Promise<void> {
    if (this.changed) await this.index.save(this.file, watched);
    this.changed = false;
    this.savedAt = performance.now();
  }
}

function* batchesOf(texts: readonly VersionedFile[]): Generator<VersionedFile[]> {
  let batch: VersionedFile[] = [];
  let length = 0;
  for (const file of texts) {
    batch.push(file);
    length += file.text.length;
    if (length < BATCH) continue;
    yield batch;
    [batch, length] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
