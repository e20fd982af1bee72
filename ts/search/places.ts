// Where a kept index lies: in a file, or, where there are none, in what a browser has instead.

import { LongformerError } from '../errors.ts';
import { openBlob } from '../files/blobs.ts';
import type { OpenFile } from '../files/source.ts';
import { hasFileSystem } from '../platform/node.ts';
import { quoted } from '../quoted.ts';

/** A path, a `file:` URL or a Blob, opened. Rejects with `NOT_FOUND` where there is none. */
export async function openPlace(place: string | URL | Blob): Promise<OpenFile> {
  if (place instanceof Blob) return openBlob((place as Partial<File>).name ?? 'the given file', place);
  checkPath('file', place, 'a Blob');
  refuseWithoutFiles(place);
  const { openFile, pathOf } = await import('../files/directory.ts');
  const file = await openFile(pathOf(place));
  if (file === null) throw new LongformerError('NOT_FOUND', String(place), 'must be a file');
  return file;
}

/** Writes a file as a whole or not at all, or all of a stream. */
export async function writeTo(target: string | URL | WritableStream<Uint8Array>, pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  if (typeof (target as Partial<WritableStream> | null)?.getWriter === 'function') return writeStream(target as WritableStream<Uint8Array>, pieces);
  checkPath('target', target, 'a WritableStream');
  refuseWithoutFiles(target);
  const { replaceFile } = await import('../files/staging.ts');
  await replaceFile(target, pieces);
}

async function writeStream(stream: WritableStream<Uint8Array>, pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  if (stream.locked) throw new LongformerError('BAD_INPUT', 'target', 'must be a stream that nobody else writes to');
  const writer = stream.getWriter();
  try {
    for await (const piece of pieces) {
      await writer.ready;
      await writer.write(piece);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {}); // the first error says more
    throw error;
  } finally {
    writer.releaseLock();
  }
}

function checkPath(name: string, place: unknown, other: string): asserts place is string | URL {
  const isPath = (typeof place === 'string' && place !== '') || (place instanceof URL && place.protocol === 'file:');
  if (!isPath) throw new LongformerError('BAD_INPUT', name, `must be a path, a file: URL or ${other}, got ${quoted(place)}`);
}

function refuseWithoutFiles(place: string | URL): void {
  if (!hasFileSystem) throw new LongformerError('NOT_FOUND', String(place), 'is a path, and there is no file system here');
}
