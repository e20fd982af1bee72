// The texts behind paths; what has none is left out and named.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LongformerError } from '../errors.ts';
import { extract } from './extract.ts';

export interface TextFile {
  path: string;
  text: string;
}

export interface VersionedFile extends TextFile {
  /** The hash of the file: the same as long as nothing in it changes. */
  version: string;
}

export interface SkippedFile {
  path: string;
  reason: string;
}

export interface Texts {
  texts: VersionedFile[];
  skipped: SkippedFile[];
  /** Files that the caller knows as they are. */
  known: string[];
}

/** How standard input is called in results. */
export const STANDARD_INPUT = '(standard input)';

/** `-` stands for standard input. No text is taken out of a file whose version `isKnown`. */
export async function readTexts(paths: readonly string[], isKnown: (path: string, version: string) => boolean = () => false): Promise<Texts> {
  const found: Texts = { texts: [], skipped: [], known: [] };
  for (const given of paths) {
    const path = given === '-' ? STANDARD_INPUT : given;
    const bytes = given === '-' ? await readStandardInput() : await readBytes(given);
    const version = createHash('sha256').update(bytes).digest('hex');
    if (isKnown(path, version)) {
      found.known.push(path);
      continue;
    }
    const extracted = await extract(path, bytes);
    if ('text' in extracted) found.texts.push({ path, text: extracted.text, version });
    else found.skipped.push({ path, reason: extracted.reason });
  }
  return found;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new LongformerError('BAD_FILE', path, `cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return new Uint8Array(Buffer.concat(chunks));
}
