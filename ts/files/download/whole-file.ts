// A file that is fetched in one go into memory. Runs wherever there is `fetch`.

import { LongformerError } from '../../errors.ts';
import { refuseLarger } from '../source.ts';
import { tell, type LongCallOptions } from '../../progress.ts';
import { contentLength, PassingError, type Reply } from './http.ts';

/** Where nobody says how long a file is: an engine has no more memory than that. */
export const MAX_UNSAID_BYTES = 2 ** 32;

/** Options of one file. */
export interface FetchOptions extends LongCallOptions {
  maxBytes?: number | undefined;
}

/** Counts what goes by: tells of progress, and refuses a body that is not as long as it was said to be. */
export async function* counted(
  reply: Reply, name: string, { onProgress, maxBytes = MAX_UNSAID_BYTES }: FetchOptions, size = lengthOf(reply),
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const most = size ?? maxBytes;
  const hint = contentLength(reply.headers);
  let done = 0;
  for await (const chunk of reply.chunks()) {
    done += chunk.length;
    if (done > most) throw new LongformerError('DOWNLOAD', reply.name, `must end after ${most} bytes, goes on`);
    const total = size ?? hint;
    if (total !== null) tell(onProgress, { stage: 'download', name, done, total: Math.max(total, done), unit: 'bytes' });
    yield chunk;
  }
  if (size !== null && done < size) throw new PassingError(reply.name, `must have ${size} bytes, ended after ${done}`);
  if (size === null) tell(onProgress, { stage: 'download', name, done, total: done, unit: 'bytes' });
}

/** The body of a reply as a Blob. Rejects with `BAD_FILE` for one of more than `maxBytes`. */
export async function wholeFile(reply: Reply, name: string, options: FetchOptions): Promise<Blob> {
  refuseLong(reply, options.maxBytes);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of counted(reply, name, options)) parts.push(chunk);
  return new Blob(parts);
}

/** How long the body is, or null where that is not sure. */
function lengthOf({ headers, showsEncoding }: Reply): number | null {
  return showsEncoding ? contentLength(headers) : null;
}

/** Refuses a body that is said to be longer, and drops it. */
export function refuseLong(reply: Reply, maxBytes: number | undefined, size = lengthOf(reply)): void {
  try {
    refuseLarger(reply.name, size, maxBytes);
  } catch (error) {
    reply.drop();
    throw error;
  }
}
