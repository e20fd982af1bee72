// The cache of Hub files on disk, in the layout of Python's huggingface_hub, which may write into it
// at the same time:
//
//     models--org--name/blobs/<etag>                  the bytes
//     models--org--name/snapshots/<commit>/<name>     a relative link to them
//     models--org--name/refs/<revision>               the commit that a branch or tag stood for
//     models--org--name/.no_exist/<commit>/<name>     empty: the commit has no such file
//
// Needs a file system: reached by `import()` only.

import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { naming } from '../directory.ts';
import { isCommit, type Repo } from './hub.ts';

export class HubCache {
  /** The folder of the repository. */
  readonly path: string;

  constructor(cacheDir: string, private readonly repo: Repo, private readonly symlinks: boolean) {
    this.path = join(cacheDir, `models--${repo.id.replace('/', '--')}`);
  }

  /** The commit that the revision stood for when the Hub was last asked, or null. */
  async commit(): Promise<string | null> {
    if (isCommit(this.repo.revision)) return this.repo.revision;
    const commit = (await readFile(this.#ref, 'utf8').catch(() => '')).trim();
    return isCommit(commit) ? commit : null;
  }

  /** Where the file of that name is, or would be. */
  file(commit: string, name: string): string {
    return join(this.path, 'snapshots', commit, name);
  }

  /** True if the commit is known to have no such file. */
  async isKnownMissing(commit: string, name: string): Promise<boolean> {
    return exists(join(this.path, '.no_exist', commit, name));
  }

  blob(etag: string): string {
    return join(this.path, 'blobs', etag);
  }

  /** Remembers what the revision stands for. A cache that cannot be written to goes without. */
  async rememberCommit(commit: string): Promise<void> {
    if (commit === await this.commit()) return;
    const partial = `${this.#ref}.${randomName()}.tmp`;
    await mkdir(dirname(this.#ref), { recursive: true })
      .then(() => writeFile(partial, commit))
      .then(() => rename(partial, this.#ref))
      .catch(() => rm(partial, { force: true }).catch(() => {}));
  }

  /** Remembers that the commit has no such file. A cache that cannot be written to goes without. */
  async rememberMissing(commit: string, name: string): Promise<void> {
    const path = join(this.path, '.no_exist', commit, name);
    await mkdir(dirname(path), { recursive: true }).then(() => writeFile(path, '')).catch(() => {});
  }

  /** Puts a blob in its place among the files of a commit. `isNew`: no other file stands for it yet. */
  async place(etag: string, commit: string, name: string, isNew: boolean): Promise<void> {
    const [blob, path] = [this.blob(etag), this.file(commit, name)];
    await naming('DOWNLOAD', path, 'written', async () => {
      await mkdir(dirname(path), { recursive: true });
      if (this.symlinks && await this.#link(blob, path)) return;
      // Where there are no links, as on Windows without its developer mode.
      if (isNew) {
        return rename(blob, path).catch(async (error) => {
          if (!await exists(path)) throw error; // another process was faster
        });
      }
      const partial = `${path}.${randomName()}.tmp`;
      await copyFile(blob, partial);
      await rename(partial, path);
    });
  }

  /** Under another name first: whoever looks finds the old link or the new one. */
  async #link(blob: string, path: string): Promise<boolean> {
    const partial = `${path}.${randomName()}.tmp`;
    try {
      await symlink(relative(dirname(path), blob), partial);
    } catch {
      return false;
    }
    await rename(partial, path);
    return true;
  }

  get #ref(): string {
    return join(this.path, 'refs', this.repo.revision);
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

/** Eight digits that nobody else takes. */
export function randomName(): string {
  return Math.random().toString(16).slice(2, 10).padEnd(8, '0');
}
