// What a caller may give where files are wanted, and which source it means.

import { LongformerError } from '../errors.ts';
import { openBlobs } from './blobs.ts';
import type { FileSource, Source } from './source.ts';

/**
 * The files of a checkpoint.
 *
 * A string that starts with `.` or `/`, or names an existing directory, is a directory, as is a
 * `file:` URL. Rejects with `NOT_FOUND` where there is none.
 */
export async function openSource(source: string | URL | FileSource): Promise<Source> {
  if (typeof source === 'string') return openString(source);
  if (source instanceof URL) return openUrl(source);
  if (typeof (source as FileSource | null)?.open === 'function') return openBlobs(source);
  throw new LongformerError('BAD_INPUT', 'source',
    `must be a path, a URL or an object with open(name), got ${String(source)}`);
}

async function openString(source: string): Promise<Source> {
  if (source === '') throw new LongformerError('BAD_INPUT', 'source', 'must not be empty');
  if (/^(file|https?):/i.test(source) && URL.canParse(source)) return openUrl(new URL(source));
  const files = await fileSystem();
  if (/^[./]/.test(source)) {
    if (files === null) throw new LongformerError('NOT_FOUND', source, 'is a path, and there is no file system here');
    return files.openDirectory(source);
  }
  if (files !== null && await files.isDirectory(source)) return files.openDirectory(source);
  throw new LongformerError('NOT_FOUND', source, 'is no directory, and ids of the Hub are not supported yet');
}

async function openUrl(url: URL): Promise<Source> {
  if (url.protocol !== 'file:') {
    throw new LongformerError('NOT_FOUND', url.href, 'must be a file: URL, others are not supported yet');
  }
  const files = await fileSystem();
  if (files === null) throw new LongformerError('NOT_FOUND', url.href, 'is a path, and there is no file system here');
  return files.openDirectory(url);
}

/** The module for local directories, or null in browsers. */
async function fileSystem(): Promise<typeof import('./directory.ts') | null> {
  try {
    return await import('./directory.ts');
  } catch {
    return null;
  }
}
