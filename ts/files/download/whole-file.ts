// A file that is fetched in one go into memory. Runs wherever there is `fetch`.

import { LongformerError } from '../../errors.ts';
import { tell, type LongCallOptions } from '../../progress.ts';
import { contentLength, PassingError, type Reply } from './http.ts';

/** An engine has no more memory than that. */
const MAX_BYTES = 2 ** 32;

/** Counts what goes by: tells of progress, and refuses a body that is not as long as it was said to be. */
export async function* counted(
  reply: Reply, name: string, { onProgress }: LongCallOptions, size = contentLength(reply.headers),
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let done = 0;
  for await (const chunk of reply.chunks()) {
    done += chunk.length;
    if (done > (size ?? MAX_BYTES)) throw new LongformerError('DOWNLOAD', reply.name, `must end after ${size ?? MAX_BYTES} bytes, goes on`);
    if (size !== null) tell(onProgress, { stage: 'download', name, done, total: size, unit: 'bytes' });
    yield chunk;
  }
  if (size !== null && done < size) throw new PassingError(reply.name, `must have ${size} bytes, ended after ${done}`);
  if (size === null) tell(onProgress, { stage: 'download', name, done, total: done, unit: 'bytes' });
}

/** The body of a reply as a Blob. */
export async function wholeFile(reply: Reply, name: string, options: LongCallOptions): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of counted(reply, name, options)) parts.push(chunk);
  return new Blob(parts);
}
