// What a caller may give where files are wanted, and which source it means.

import { openFolderUrl } from './download/folder-url.ts';
import { isRepoId } from './download/hub.ts';
import { LongformerError } from '../errors.ts';
import { hasFileSystem } from '../platform/node.ts';
import { quoted } from '../quoted.ts';
import { openBlobs } from './blobs.ts';
import { checkHubOptions, type SourceOptions } from './source-options.ts';
import type { FileSource, Source } from './source.ts';

/**
 * The files of a checkpoint.
 *
 * A string that starts with `.` or `/`, or names an existing directory, is a directory, as is a
 * `file:` URL; an `http:` or `https:` URL is a folder on a web server; any other string is an id of
 * the Hugging Face Hub. Files of the Hub are fetched when they are opened. The signal of `options`
 * counts until then, on a web server as long as its files are read.
 *
 * Rejects with `NOT_FOUND` where there is none, `BAD_INPUT` for an option, and opening a file with
 * `DOWNLOAD` where it cannot be fetched.
 */
export async function openSource(source: string | URL | FileSource, options: SourceOptions = {}): Promise<Source> {
  options.signal?.throwIfAborted();
  checkHubOptions(options);
  if (typeof source === 'string') return openString(source, options);
  if (source instanceof URL) return openUrl(source, options);
  return openBlobs(source);
}

/** What is fetched: from a web server, or of an extension's own files. */
const FETCHED = /^(https?|(chrome|moz|safari-web)-extension):$/;

const SCHEMES = /^(file|https?|(chrome|moz|safari-web)-extension):/i;

async function openString(source: string, options: SourceOptions): Promise<Source> {
  if (source === '') throw new LongformerError('BAD_INPUT', 'source', 'must not be empty');
  if (SCHEMES.test(source) && URL.canParse(source)) return openUrl(new URL(source), options);
  const files = await fileSystem();
  if (/^[./]/.test(source)) {
    if (files === null) throw new LongformerError('NOT_FOUND', source, 'is a path, and there is no file system here');
    return files.openDirectory(source);
  }
  if (files !== null && await files.isDirectory(source)) return files.openDirectory(source);
  if (!isRepoId(source)) throw new LongformerError('NOT_FOUND', quoted(source), 'is no directory, and no id of the Hugging Face Hub (org/name)');
  if (files === null) return (await import('./download/browser-source.ts')).openHubInBrowser(source, options);
  return (await import('./download/hub-source.ts')).openHub(source, options);
}

async function openUrl(url: URL, options: SourceOptions): Promise<Source> {
  if (FETCHED.test(url.protocol)) return openFolderUrl(url, options);
  if (url.protocol !== 'file:') throw new LongformerError('NOT_FOUND', url.href, 'must be a file:, http: or https: URL');
  const files = await fileSystem();
  if (files === null) throw new LongformerError('NOT_FOUND', url.href, 'is a path, and there is no file system here');
  return files.openDirectory(url);
}

/** The module for local directories, or null in browsers. */
async function fileSystem(): Promise<typeof import('./directory.ts') | null> {
  return hasFileSystem ? import('./directory.ts') : null;
}
