// One file of the Hub into the cache: resumed where it broke off, and checked before it has its name.
//
// Bytes go into `<etag>.<8 digits>.partial.incomplete` beside the blob. Whoever finds such a file
// that nobody writes to any more takes it over by renaming it, which only one can do, and goes on
// at its end; one that somebody writes to is waited for. A file is known to be written to by its
// time of modification, as there are no locks that every system, and a killed process, respects.
// Should two write to one file after all, they write the same bytes to the same places.
//
// Needs a file system: reached by `import()` only.

import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { LongformerError } from '../../errors.ts';
import { builtin, fs, paths } from '../../platform/node.ts';
import { naming } from '../directory.ts';
import { refuseLarger } from '../source.ts';
import { onlyForward, type LongCallOptions } from '../../progress.ts';
import { exists, randomName } from './hub-cache.ts';
import { contentLength, contentRange, PassingError, pause, retrying, type Reply } from './http.ts';
import { MAX_UNSAID_BYTES } from './whole-file.ts';

/** What is to be fetched. */
interface RemoteBlob {
  /** For messages and progress. */
  readonly name: string;
  readonly etag: string;
  /** Bytes, or null where nobody says. */
  readonly size: number | null;
  /** One that turns out to have more is refused. */
  readonly maxBytes: number | undefined;
  /** The tag for `If-Range`, or null. */
  readonly validator: string | null;
  get(range: { start: number; validator: string | null; signal: AbortSignal | undefined }): Promise<Reply>;
}

/** A partial file untouched for so long has nobody who writes to it. */
const ABANDONED_MILLISECONDS = 4000;

const TOUCH_MILLISECONDS = 1000;

const LOOK_MILLISECONDS = 200;

/** A try that gets so much further than the ones before counts as progress: not one that brings a byte. */
const PROGRESS_BYTES = 2 ** 16;

/** Read at a time, to be hashed. */
const CHUNK_BYTES = 2 ** 20;

/**
 * Fetches `remote` to `path`, unless it is there already.
 *
 * Rejects with `DOWNLOAD` if that fails for good, or the bytes are not those that the hash stands
 * for. What has come stays for the next call, also after an abort.
 */
export async function fetchBlob(path: string, remote: RemoteBlob, { signal, onProgress }: LongCallOptions): Promise<void> {
  const report = onlyForward(onProgress);
  let mark: number | null = null; // where the failures began that count
  let { validator } = remote;
  await retrying(signal, () => attempt().catch((error: unknown) => { throw taken(error, path); }));

  async function attempt(): Promise<void> {
    await written(path, () => fs.mkdir(paths.dirname(path), { recursive: true }));
    const partial = await claim(path, signal);
    if (partial === null) return;
    const touching = setInterval(() => void touch(partial, Date.now()), TOUCH_MILLISECONDS);
    try {
      const wasBegun = (await fs.stat(partial)).size > 0;
      await fill(partial);
      const problem = await problemOf(partial, remote, signal);
      if (problem !== null) {
        await fs.rm(partial, { force: true });
        // What was there before may have been wrong.
        throw wasBegun ? new PassingError(remote.name, problem) : new LongformerError('DOWNLOAD', remote.name, problem);
      }
      await fs.rename(partial, path);
    } catch (error) {
      clearInterval(touching);
      await release(partial);
      throw error;
    }
    clearInterval(touching);
  }

  async function fill(partial: string): Promise<void> {
    const file = await written(partial, () => fs.open(partial, 'r+'));
    try {
      let { size: done } = await file.stat();
      if (remote.size !== null && done > remote.size) await file.truncate(done = 0);
      const tell = (total: number): void => report({ stage: 'download', name: remote.name, done, total, unit: 'bytes' });
      if (done === remote.size) return tell(done);

      const reply = await remote.get({ start: done, validator, signal });
      let expected = remote.size;
      try {
        const start = startOf(reply, done);
        if (start === null) {
          await file.truncate(0);
          throw new PassingError(reply.name, `must send the bytes from ${done} on, does not, and is asked for all of them`);
        }
        if (start === 0 && done > 0) await file.truncate(done = 0);
        expected ??= reply.status === 206 ? contentRange(reply.headers)!.total : contentLength(reply.headers);
        refuseLarger(reply.name, expected, remote.maxBytes);
        if (expected === null && hashOf(remote.etag, 0) === null) {
          throw new LongformerError('DOWNLOAD', reply.name, 'must come with a hash or a length, or what came cannot be checked');
        }
        const tag = reply.headers.get('etag');
        validator = tag?.startsWith('"') ? tag : null;
      } catch (error) {
        reply.drop();
        throw error;
      }
      mark ??= done;
      const most = expected ?? remote.maxBytes ?? MAX_UNSAID_BYTES;
      try {
        for await (const chunk of reply.chunks()) {
          if (done + chunk.length > most) throw new LongformerError('DOWNLOAD', reply.name, `must end after ${most} bytes, goes on`);
          await writeAt(file, partial, chunk, done);
          done += chunk.length;
          if (expected !== null) tell(expected);
        }
        if (expected !== null && done < expected) throw new PassingError(reply.name, `must have ${expected} bytes, ended after ${done}`);
        tell(done);
      } catch (error) {
        if (!(error instanceof PassingError)) throw error;
        const progressed = done >= mark + PROGRESS_BYTES;
        if (progressed) mark = done;
        throw new PassingError(error.subject, error.message.slice(error.subject.length + 1), { wait: error.wait, progressed, cause: error.cause });
      }
    } finally {
      await file.close();
    }
  }
}

/** Where the bytes of a reply begin: at `wanted`, or at 0 if the server sends them all; null if it can do neither. */
function startOf(reply: Reply, wanted: number): number | null {
  if (reply.status === 200) return 0;
  if (reply.status === 206 && contentRange(reply.headers)?.start === wanted) return wanted;
  if (wanted > 0) return null;
  throw new LongformerError('DOWNLOAD', reply.name, `must send the file, answers with status ${reply.status}`);
}

/** A partial file that is ours alone, empty or begun by another; null if the blob is there. */
async function claim(path: string, signal: AbortSignal | undefined): Promise<string | null> {
  const own = `${path}.${randomName()}.partial.incomplete`;
  for (;;) {
    signal?.throwIfAborted();
    if (await exists(path)) return null;
    const others = await partialsOf(path);
    for (const { partial, abandoned } of others) {
      if (abandoned && await fs.rename(partial, own).then(() => true, () => false)) {
        await touch(own, Date.now());
        return own;
      }
    }
    if (others.every(({ abandoned }) => abandoned)) {
      await written(own, async () => (await fs.open(own, 'wx')).close());
      return own;
    }
    await pause(LOOK_MILLISECONDS, signal);
  }
}

async function partialsOf(path: string): Promise<{ partial: string; abandoned: boolean }[]> {
  const start = `${paths.basename(path)}.`;
  const names = (await written(path, () => fs.readdir(paths.dirname(path)))).filter((name) => name.startsWith(start) && /^[0-9a-f]{8}\.partial\.incomplete$/.test(name.slice(start.length)));
  const partials = await Promise.all(names.map(async (name) => {
    const partial = paths.join(paths.dirname(path), name);
    const { mtimeMs } = await fs.stat(partial).catch(() => ({ mtimeMs: null })); // it has its final name by now
    return mtimeMs === null ? [] : [{ partial, abandoned: Math.abs(Date.now() - mtimeMs) > ABANDONED_MILLISECONDS }];
  }));
  return partials.flat();
}

/** Says that nobody writes to it any more. */
async function release(partial: string): Promise<void> {
  const empty = await fs.stat(partial).then(({ size }) => size === 0, () => false);
  await (empty ? fs.rm(partial, { force: true }) : touch(partial, 0)).catch(() => {});
}

async function touch(partial: string, time: number): Promise<void> {
  await fs.utimes(partial, time / 1000, time / 1000).catch(() => {}); // another has taken it over
}

/** What the system says of a partial file that another has taken over, or of a folder that was removed, is no reason to give up. */
function taken(error: unknown, path: string): unknown {
  if (error instanceof PassingError) return error;
  const isNamed = error instanceof LongformerError;
  const { syscall, code, message } = ((isNamed ? error.cause : error) ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined || (isNamed && code !== 'ENOENT')) return error;
  return new PassingError(path, `cannot be written: ${message}`, { cause: error });
}

async function writeAt(file: FileHandle, name: string, bytes: Uint8Array, position: number): Promise<void> {
  await written(name, async () => {
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  });
}

function written<T>(path: string, work: () => Promise<T>): Promise<T> {
  return naming('DOWNLOAD', path, 'written', work);
}

// ---------------------------------------------------------------------------- checking

/** What a file of that size is to be put through, or null where its tag is no hash. */
function hashOf(etag: string, size: number): Hash | null {
  const { createHash } = builtin('node:crypto')!;
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash('sha256');
  return /^[0-9a-f]{40}$/.test(etag) ? createHash('sha1').update(`blob ${size}\0`) : null; // git's
}

/** What is wrong with a file, or null. */
async function problemOf(path: string, { etag, size }: RemoteBlob, signal: AbortSignal | undefined): Promise<string | null> {
  const file = await fs.open(path, 'r');
  try {
    const { size: found } = await file.stat();
    if (size !== null && found !== size) return `must have ${size} bytes, has ${found}`;
    const hash = hashOf(etag, found);
    if (hash === null) return null;
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let at = 0; at < found;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) break;
      hash.update(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    const digest = hash.digest('hex');
    return digest === etag ? null : `must have the hash ${etag} that the Hub says, has ${digest}: what came is not the file`;
  } finally {
    await file.close();
  }
}
