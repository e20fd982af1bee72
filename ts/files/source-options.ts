// Options for sources that lie elsewhere.

import { CALL_OPTIONS, checkBoolean, type Names } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import type { LongCallOptions } from '../progress.ts';
import { quoted } from '../quoted.ts';

/** Which files of the Hugging Face Hub, and where they are kept. */
export interface HubOptions {
  /** A branch, a tag or a commit. Default `main`. */
  revision?: string | undefined;
  /** The folder of the cache. Default: that of Python's huggingface_hub. */
  cacheDir?: string | undefined;
  /** True: nothing is fetched, what is in the cache must do. */
  localFilesOnly?: boolean | undefined;
}

/** Options of every call that reads a source. */
export interface SourceOptions extends HubOptions, LongCallOptions {}

export const SOURCE_OPTIONS: Names<SourceOptions> = { revision: true, cacheDir: true, localFilesOnly: true, ...CALL_OPTIONS };

/** A path or URL, and what belongs to it: plain data, for the engine's worker. */
export interface Location extends HubOptions {
  readonly source: string;
}

/** Throws `BAD_INPUT`. A revision becomes part of a path and of an address. */
export function checkHubOptions({ revision, cacheDir, localFilesOnly }: HubOptions): HubOptions {
  const refuse = (subject: string, rule: string, value: unknown): LongformerError =>
    new LongformerError('BAD_INPUT', subject, `must be ${rule}, got ${quoted(value)}`);
  if (revision !== undefined && !isRevision(revision)) throw refuse('revision', 'the name of a branch or tag, or a commit', revision);
  if (cacheDir !== undefined && (typeof cacheDir !== 'string' || cacheDir === '')) throw refuse('cacheDir', 'a path', cacheDir);
  if (localFilesOnly !== undefined) checkBoolean(localFilesOnly, 'localFilesOnly');
  return { revision, cacheDir, localFilesOnly };
}

/** By git's rules for names, which leave no way out of a folder. */
function isRevision(revision: unknown): boolean {
  return typeof revision === 'string' && revision.length <= 200
    && !/[\x00-\x20\x7f\\:?*[~^]|\.\.|@\{/.test(revision)
    && revision.split('/').every((part) => part !== '' && !part.startsWith('.') && !/\.(lock)?$/.test(part));
}
