// A repository of the Hugging Face Hub as a source: files come into the cache on disk, and are read
// from there. Needs a file system: reached by `import()` from files/open.ts only.

import { LongformerError } from '../../errors.ts';
import { openFile } from '../directory.ts';
import { refuseLarger, safeName, type Source } from '../source.ts';
import type { SourceOptions } from '../source-options.ts';
import { quoted } from '../../quoted.ts';
import { fetchBlob } from './blob.ts';
import { exists, HubCache } from './hub-cache.ts';
import { readHubSettings } from './hub-settings.ts';
import { PassingError } from './http.ts';
import { askForFile, getFile, type Hub, type RemoteFile, type Repo } from './hub.ts';

/** What `HubSource` is made of. */
interface Parts {
  hub: Hub;
  repo: Repo;
  cache: HubCache;
  options: SourceOptions;
}

/**
 * The files of `id` at a revision. With `localFilesOnly` (or HF_HUB_OFFLINE) those in the cache:
 * rejects with `NOT_FOUND` if it has none of that revision.
 */
export async function openHub(id: string, options: SourceOptions): Promise<Source> {
  const settings = await readHubSettings();
  const repo = { id, revision: options.revision ?? 'main' };
  const cacheDir = options.cacheDir ?? settings.cacheDir;
  const cache = new HubCache(cacheDir, repo, settings.symlinks);
  if (!options.localFilesOnly && !settings.offline) return new HubSource({ hub: settings, repo, cache, options });

  const why = options.localFilesOnly ? 'localFilesOnly' : 'HF_HUB_OFFLINE';
  const commit = await cache.commit();
  if (commit === null || !await exists(cache.file(commit, ''))) {
    throw new LongformerError('NOT_FOUND', `${id}, revision ${repo.revision},`, `must be in the cache ${cacheDir}, is not, and ${why} forbids to fetch it; ${noFolder(id)}`);
  }
  return {
    label: `${id} (${why})`,
    commit,
    open: async (name) => openFile(cache.file(commit, safeName(id, name))),
  };
}

/** A path that is misspelt may read like an id. */
const noFolder = (id: string): string => `there is no folder ${quoted(id)} here`;

class HubSource implements Source {
  readonly label: string;
  readonly #parts: Parts;
  /** What the revision stands for, from the first answer on: all files are of one commit. */
  #commit: string | null = null;
  #isUnreachable = false;

  constructor(parts: Parts) {
    this.label = parts.repo.id;
    this.#parts = parts;
  }

  get commit(): string | null {
    return this.#commit;
  }

  async open(given: string, { maxBytes }: { maxBytes?: number } = {}): ReturnType<Source['open']> {
    const { repo, cache, options } = this.#parts;
    const name = safeName(repo.id, given);
    if (name === '') return null;
    let remote: RemoteFile | undefined;
    if (this.#commit === null) {
      const found = await this.#firstAnswer(name);
      if ('missingIn' in found) return null;
      if ('etag' in found) remote = found;
    }
    const commit = this.#commit!;
    const path = cache.file(commit, name);
    if (!await exists(path)) {
      if (remote === undefined) {
        if (await cache.isKnownMissing(commit, name)) return null;
        const found = await this.#ask(name, commit, this.#isUnreachable ? 0 : undefined);
        if ('missingIn' in found) return null;
        remote = found;
      }
      await this.#fetch(name, remote, commit, maxBytes);
    }
    options.signal?.throwIfAborted();
    return openFile(path);
  }

  /** Without an answer, what the cache knows of the revision will do. */
  async #firstAnswer(name: string): Promise<RemoteFile | { missingIn: string | null } | { commit: string }> {
    const { repo, cache } = this.#parts;
    const known = await cache.commit();
    if (known === repo.revision) {
      this.#commit = known;
      return { commit: known };
    }
    const isCached = known !== null && (await exists(cache.file(known, name)) || await cache.isKnownMissing(known, name));
    try {
      const found = await this.#ask(name, repo.revision, isCached ? 0 : undefined);
      this.#commit = 'missingIn' in found ? found.missingIn : found.commit;
      if (this.#commit !== null) await cache.rememberCommit(this.#commit);
      return found;
    } catch (error) {
      if (known === null && error instanceof LongformerError && (error instanceof PassingError || /does not exist/.test(error.message))) {
        throw new LongformerError(error.code, error.subject, `${error.message.slice(error.subject.length + 1)}; ${noFolder(repo.id)}`, { cause: error });
      }
      if (!isCached || !(error instanceof LongformerError && error.code === 'DOWNLOAD')) throw error;
      this.#commit = known;
      this.#isUnreachable = true;
      return { commit: known };
    }
  }

  async #ask(name: string, revision: string, retries: number | undefined): Promise<RemoteFile | { missingIn: string | null }> {
    const { hub, repo: { id }, cache, options: { signal } } = this.#parts;
    const found = await askForFile(hub, { id, revision }, name, { signal, retries });
    if ('missingIn' in found && found.missingIn !== null) await cache.rememberMissing(found.missingIn, name);
    return found;
  }

  async #fetch(name: string, { etag, size, validator }: RemoteFile, commit: string, maxBytes: number | undefined): Promise<void> {
    const { hub, repo: { id }, cache, options } = this.#parts;
    const blob = cache.blob(etag);
    const isNew = !await exists(blob);
    const get: Parameters<typeof fetchBlob>[1]['get'] = (range) => getFile(hub, { id, revision: commit }, name, range);
    if (isNew) {
      refuseLarger(`${id}/${name}`, size, maxBytes);
      await fetchBlob(blob, { name, etag, size, maxBytes, validator, get }, options);
    }
    await cache.place(etag, commit, name, isNew);
  }
}
