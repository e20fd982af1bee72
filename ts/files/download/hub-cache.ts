// The cache of Hub files on disk, in the layout of Python's huggingface_hub, which may write into it
// at the same time:
//
//     models--org--name/blobs/<etag>                  the bytes
//     models--org--name/snapshots/<commit>/<name>     a relative link to them
//     models--org--name/refs/<revision>               the commit that a branch or tag stood for
//     models--org--name/.no_exist/<commit>/<name>     empty: the commit has no such file
//
// Needs a file system: reached by `import()` only.

import { fs, paths } from '../../platform/node.ts';
import { naming } from '../directory.ts';
import { isCommit, type Repo } from './hub.ts';

export class HubCache {
  /** The folder of the repository. */
  readonly path: string;

  constructor(cacheDir: string, private readonly repo: Repo, private readonly symlinks: boolean) {
    this.path = paths.join(cacheDir, `models--${repo.id.replace('/', '--')}`);
  }

  /** The commit that the revision stood for when the Hub was last asked, or null. */
  async commit(): Promise<string | null> {
    if (isCommit(this.repo.revision)) return this.repo.revision;
    const commit = (await fs.readFile(this.#ref, 'utf8').catch(() => '')).trim();
    return isCommit(commit) ? commit : null;
  }

  /** Where the file of that name is, or would be. */
  file(commit: string, name: string): string {
    return paths.join(this.path, 'snapshots', commit, name);
  }

  /** True if the commit is known to have no such file. */
  async isKnownMissing(commit: string, name: string): Promise<boolean> {
    return exists(paths.join(this.path, '.no_exist', commit, name));
  }

  blob(etag: string): string {
    return paths.join(this.path, 'blobs', etag);
  }

  /** Remembers what the revision stands for. A cache that cannot be written to goes without. */
  async rememberCommit(commit: string): Promise<void> {
    if (commit === await this.commit()) return;
    const partial = `${this.#ref}.${randomName()}.tmp`;
    await fs.mkdir(paths.dirname(this.#ref), { recursive: true })
      .then(() => fs.writeFile(partial, commit))
      .then(() => fs.rename(partial, this.#ref))
      .catch(() => fs.rm(partial, { force: true }).catch(() => {}));
  }

  /** Remembers that the commit has no such file. A cache that cannot be written to goes without. */
  async rememberMissing(commit: string, name: string): Promise<void> {
    const path = paths.join(this.path, '.no_exist', commit, name);
    await fs.mkdir(paths.dirname(path), { recursive: true }).then(() => fs.writeFile(path, '')).catch(() => {});
  }

  /** Puts a blob in its place among the files of a commit. `isNew`: no other file stands for it yet. */
  async place(etag: string, commit: string, name: string, isNew: boolean): Promise<void> {
    const [blob, path] = [this.blob(etag), this.file(commit, name)];
    await naming('DOWNLOAD', path, 'written', async () => {
      await fs.mkdir(paths.dirname(path), { recursive: true });
      if (this.symlinks && await this.#link(blob, path)) return;
      // Where there are no links, as on Windows without its developer mode.
      if (isNew) {
        return fs.rename(blob, path).catch(async (error) => {
          if (!await exists(path)) throw error; // another process was faster
        });
      }
      const partial = `${path}.${randomName()}.tmp`;
      await fs.copyFile(blob, partial);
      await fs.rename(partial, path);
    });
  }

  /** Under another name first: whoever looks finds the old link or the new one. */
  async #link(blob: string, path: string): Promise<boolean> {
    const partial = `${path}.${randomName()}.tmp`;
    try {
      await fs.symlink(paths.relative(paths.dirname(path), blob), partial);
    } catch {
      return false;
    }
    await fs.rename(partial, path);
    return true;
  }

  get #ref(): string {
    return paths.join(this.path, 'refs', this.repo.revision);
  }
}

export async function exists(path: string): Promise<boolean> {
  return fs.stat(path).then(() => true, () => false);
}

/** Eight digits that nobody else takes. */
export function randomName(): string {
  return Math.random().toString(16).slice(2, 10).padEnd(8, '0');
}
