// The texts behind paths; what is no text is left out and named.

import { readFile } from 'node:fs/promises';
import { LongformerError } from '../errors.ts';

export interface TextFile {
  path: string;
  text: string;
}

export interface SkippedFile {
  path: string;
  reason: string;
}

/** How standard input is called in results. */
export const STANDARD_INPUT = '(standard input)';

/** `-` stands for standard input. */
export async function readTexts(paths: readonly string[]): Promise<{ texts: TextFile[]; skipped: SkippedFile[] }> {
  const texts: TextFile[] = [];
  const skipped: SkippedFile[] = [];
  for (const given of paths) {
    const path = given === '-' ? STANDARD_INPUT : given;
    const text = decode(given === '-' ? await readStandardInput() : await readBytes(given));
    if (text === null) skipped.push({ path, reason: 'is not UTF-8 text' });
    else if (text.trim() === '') skipped.push({ path, reason: 'is empty' });
    else texts.push({ path, text });
  }
  return { texts, skipped };
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new LongformerError('BAD_FILE', path, `cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function readStandardInput(): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** The text, or null where the bytes are none. */
function decode(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
