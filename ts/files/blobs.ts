// Blobs that a caller finds by name, as a source.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { safeName, type FileSource, type OpenFile, type Source } from './source.ts';

/** The files that `files.open` gives, dropped on a page or taken from an archive. Throws `BAD_INPUT` for what has no `open`. */
export function openBlobs(files: FileSource): Source {
  if (typeof (files as FileSource | null | undefined)?.open !== 'function') {
    throw new LongformerError('BAD_INPUT', 'source', `must be a path, a URL or an object with open(name), got ${quoted(files)}`);
  }
  const label = 'the given files';
  return {
    label,
    async open(name) {
      // Wider than its type says: a Map's `get` is a likely way to write `open`, and gives undefined.
      const blob: Blob | null | undefined = await files.open(safeName(label, name));
      if (blob === null || blob === undefined) return null;
      if (typeof blob.size !== 'number' || typeof blob.slice !== 'function') {
        throw new LongformerError('BAD_INPUT', `open(${JSON.stringify(name)})`, 'must give a Blob or null');
      }
      return openBlob(name, blob);
    },
  };
}

/** A Blob as a file. */
export function openBlob(name: string, blob: Blob): OpenFile {
  return {
    name,
    size: blob.size,
    async read(start, end) {
      if (end > blob.size) {
        throw new LongformerError('BAD_FILE', name, `must have ${end} bytes, ends after ${blob.size}`);
      }
      let bytes: Uint8Array<ArrayBuffer>;
      try {
        bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        // A dropped file that changed on disk in the meantime, for one.
        throw new LongformerError('BAD_FILE', name, `cannot be read: ${(cause as Error).message}`, { cause });
      }
      if (bytes.length === end - start) return bytes;
      throw new LongformerError('BAD_FILE', name, `must give the ${end - start} bytes from ${start} on, gives ${bytes.length}`);
    },
    async close() {},
  };
}
