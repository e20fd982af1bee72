// What the Hugging Face Hub says about a file of a repository, and the file's bytes.
//
// A file is asked for with HEAD first: the reply, which may already be a redirect to a storage host,
// names the commit, the hash and the size. Redirects are followed by hand, because the token is for
// the Hub alone and must never reach the host that a file is stored on. For runtimes that show
// redirects to a script; browsers do not (browser-source.ts).

import { LongformerError } from '../../errors.ts';
import { encodedName } from '../source.ts';
import { quoted } from '../../quoted.ts';
import { contentLength, retrying, send, statusError, wholeNumber, withoutQuery, type Reply } from './http.ts';

/** Where the Hub is, and who asks. */
export interface Hub {
  /** E.g. `https://huggingface.co`, without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | null;
}

/** A repository at a branch, tag or commit. */
export interface Repo {
  readonly id: string;
  readonly revision: string;
}

/** A file as the Hub has it. */
export interface RemoteFile {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** SHA-256 of a large file, git's hash of a small one. */
  readonly etag: string;
  /** Bytes; null where the Hub does not say. */
  readonly size: number | null;
  /** The ETag header for `If-Range`, or null where the bytes come from another host, which has tags of its own. */
  readonly validator: string | null;
}

export const HUB = 'https://huggingface.co';

const MOST_REDIRECTS = 10;

/** True for `org/name`, and for the bare names of the Hub's first repositories, by the rules of the Hub. */
export function isRepoId(id: string): boolean {
  return id.length <= 96 && /^(\w[\w.-]*\/)?\w[\w.-]*$/.test(id) && !/--|\.\.|[.-](\/|$)|\.git$/.test(id);
}

/** True for a name that never changes its meaning. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The address of a file, by its safe name. */
export function fileUrl({ endpoint }: Hub, { id, revision }: Repo, name: string): string {
  return `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${encodedName(name)}`;
}

/**
 * Asks for a file, and again if the Hub is busy.
 *
 * @returns the file, or the commit that has none of that name (null where the Hub does not say)
 *
 * Rejects with `NOT_FOUND` if there is no such repository or revision, `DOWNLOAD` if the Hub refuses
 * or cannot be reached.
 */
export async function askForFile(
  hub: Hub, repo: Repo, name: string, { signal, retries }: { signal?: AbortSignal | undefined; retries?: number },
): Promise<RemoteFile | { missingIn: string | null }> {
  return retrying(signal, async () => {
    const reply = await follow(hub, fileUrl(hub, repo, name), { method: 'HEAD' }, signal);
    reply.drop();
    const { status, headers } = reply;
    const code = headers.get('x-error-code');
    if (status === 404 && code !== 'RepoNotFound' && code !== 'RevisionNotFound') {
      const commit = headers.get('x-repo-commit');
      return { missingIn: commit !== null && isCommit(commit) ? commit : null };
    }
    if (status >= 400) throw refusal(hub, repo, reply);
    return fileOf(reply);
  }, retries);
}

/** The bytes of a file from `start` on, where the server can; see the reply's status. */
export async function getFile(
  hub: Hub, repo: Repo, name: string, { start, validator, signal }: { start: number; validator: string | null; signal: AbortSignal | undefined },
): Promise<Reply> {
  const headers = start === 0 ? {} : { range: `bytes=${start}-`, ...(validator !== null && { 'if-range': validator }) };
  const reply = await follow(hub, fileUrl(hub, repo, name), { method: 'GET', headers }, signal);
  if (reply.status < 400 || reply.status === 416) return reply;
  reply.drop();
  throw new URL(reply.url).origin === new URL(hub.endpoint).origin ? refusal(hub, repo, reply) : statusError(reply);
}

/** Follows redirects, HEAD only as long as they stay on the Hub. */
async function follow(
  hub: Hub, url: string, { method, headers }: { method: 'GET' | 'HEAD'; headers?: Record<string, string> }, signal: AbortSignal | undefined,
): Promise<Reply> {
  const home = new URL(hub.endpoint).origin;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const isHome = new URL(url).origin === home;
    const reply = await send(url, {
      method,
      redirect: 'manual',
      headers: {
        ...headers,
        'accept-encoding': 'identity', // lengths and ranges are those of the file
        ...(isHome && hub.token !== null && { authorization: `Bearer ${hub.token}` }),
      },
    }, signal);
    const location = [301, 302, 303, 307, 308].includes(reply.status) ? reply.headers.get('location') : null;
    if (location === null) return reply;
    const target = URL.canParse(location, url) ? new URL(location, url) : null;
    if (target === null || !/^https?:$/.test(target.protocol)) {
      reply.drop();
      throw new LongformerError('DOWNLOAD', reply.name, `must lead to an http: or https: address, leads to ${quoted(location)}`);
    }
    if (method === 'HEAD' && target.origin !== home) return reply; // which tells all that is wanted
    reply.drop();
    url = target.href;
  }
  throw new LongformerError('DOWNLOAD', withoutQuery(url), `must not redirect more than ${MOST_REDIRECTS} times`);
}

function fileOf({ name, status, headers }: Reply): RemoteFile {
  const redirected = status >= 300;
  const commit = headers.get('x-repo-commit') ?? '';
  if (!isCommit(commit)) {
    throw new LongformerError('DOWNLOAD', name, 'must name its commit in X-Repo-Commit: no Hub answers there, or a proxy keeps it back');
  }
  const tag = headers.get('etag');
  const etag = (headers.get('x-linked-etag') ?? tag ?? '').replace(/^W\//, '').replace(/^"|"$/g, '');
  // It becomes the name of a file.
  if (!/^[\w-][\w.-]{0,199}$/.test(etag)) throw new LongformerError('DOWNLOAD', name, `must have an ETag of letters and digits, has ${quoted(etag)}`);
  const size = wholeNumber(headers.get('x-linked-size')) ?? (redirected ? null : contentLength(headers));
  return { commit, etag, size, validator: redirected || tag === null || tag.startsWith('W/') ? null : tag };
}

/** Why the Hub said no, and what to do about it. It says 401 also for what does not exist. */
function refusal({ endpoint, token }: Hub, { id, revision }: Repo, reply: Reply): LongformerError {
  const { status, headers } = reply;
  const code = headers.get('x-error-code');
  const subject = `${id} at ${endpoint}`;
  if (code === 'RevisionNotFound') return new LongformerError('NOT_FOUND', subject, `must have the revision ${quoted(revision)}, has none of that name`);
  if (code === 'GatedRepo') {
    return new LongformerError('DOWNLOAD', subject, `is gated: ask for access at ${endpoint}/${id}, and ${token === null
      ? 'set HF_TOKEN to a token of yours' : 'use a token of an account that has it, the given one was refused'}`);
  }
  const invalid = headers.get('x-error-message') === 'Invalid credentials in Authorization header';
  if (token !== null && status === 401 && (invalid || code === null)) {
    return new LongformerError('DOWNLOAD', subject, 'refuses the token: HF_TOKEN, or the file of hf auth login, must hold a valid one');
  }
  if (code === 'RepoNotFound' || status === 401) {
    return new LongformerError('NOT_FOUND', subject, `does not exist, or is private: ${token === null
      ? 'set HF_TOKEN to a token that may read it' : 'the given token must be allowed to read it'}`);
  }
  return statusError(reply, status === 403 ? ': HF_TOKEN must be a token that may read it' : '');
}
