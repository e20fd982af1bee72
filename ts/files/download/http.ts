// One request, and how often it is tried. Runs wherever there is `fetch`.

import { LongformerError } from '../../errors.ts';

/** A server that says nothing for so long is taken for gone. */
const SILENCE_MILLISECONDS = 30_000;

const RETRIES = 4;

/** Before the first retry; each further one waits twice as long. */
const FIRST_WAIT_MILLISECONDS = 400;

/** A server that asks for more patience than this is not waited for. */
const LONGEST_WAIT_MILLISECONDS = 60_000;

/** Statuses that another try may cure. */
const PASSING = [408, 425, 429, 500, 502, 503, 504];

/** `DOWNLOAD`, but another try may go well. */
export class PassingError extends LongformerError {
  /** What the server asks to wait at least, in milliseconds. */
  readonly wait: number;
  /** Whether this try got so much further than the ones before it that they do not count. */
  readonly progressed: boolean;

  constructor(subject: string, problem: string, { wait = 0, progressed = false, cause }: { wait?: number; progressed?: boolean; cause?: unknown } = {}) {
    super('DOWNLOAD', subject, problem, { cause });
    this.wait = wait;
    this.progressed = progressed;
  }
}

/** What came back. Either `chunks` is read to its end, or `drop` called. */
export interface Reply {
  readonly url: string;
  /** The same for messages: what follows a `?` may be a signature. */
  readonly name: string;
  readonly status: number;
  readonly headers: Headers;
  /** False where a browser may hide the Content-Encoding of another site: a length that is claimed may be that of something packed. */
  readonly showsEncoding: boolean;
  /** The body. Throws as `send` does. */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Ends the connection; the body is not wanted. */
  drop(): void;
}

/**
 * Sends a request once. Any status is a reply; a connection that fails, or falls silent, is a
 * `PassingError`, and an abort throws `signal.reason`.
 */
export async function send(
  url: string, init: { method?: 'GET' | 'HEAD'; headers?: Record<string, string>; redirect?: 'follow' | 'manual' }, signal?: AbortSignal,
): Promise<Reply> {
  signal?.throwIfAborted();
  const name = withoutQuery(url);
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new PassingError(name, `must go on, nothing came for ${SILENCE_MILLISECONDS / 1000} s`)), SILENCE_MILLISECONDS);
  };
  const end = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  const failure = (what: string, cause: unknown): unknown => {
    end();
    return controller.signal.aborted ? controller.signal.reason : new PassingError(name, `${what}: ${reasonOf(cause)}`, { cause });
  };

  listen();
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: controller.signal });
  } catch (cause) {
    throw failure('cannot be reached', cause);
  }
  const drop = (): void => {
    end();
    if (response.body !== null && !response.body.locked) void response.body.cancel().catch(() => {});
  };
  return {
    url: response.url || url,
    name,
    status: response.status,
    headers: response.headers,
    showsEncoding: response.type !== 'cors',
    drop,
    async *chunks() {
      const reader = response.body?.getReader();
      let ended = reader === undefined;
      try {
        while (!ended) {
          listen();
          const { done, value } = await reader!.read().catch((cause: unknown) => { throw failure('broke off', cause); });
          ended = done;
          if (value !== undefined) yield value as Uint8Array<ArrayBuffer>;
        }
      } finally {
        end();
        if (!ended) void reader!.cancel().catch(() => {}); // whoever reads has had enough
      }
    },
  };
}

/** Calls `work` again, a few times and ever later, while it throws a `PassingError` and gets no further. */
export async function retrying<T>(signal: AbortSignal | undefined, work: () => Promise<T>, retries = RETRIES): Promise<T> {
  for (let failures = 0; ;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      failures = error.progressed ? 1 : failures + 1;
      if (failures > retries || error.wait > LONGEST_WAIT_MILLISECONDS) throw error;
      await pause(Math.max(error.wait, FIRST_WAIT_MILLISECONDS * 2 ** (failures - 1)), signal);
    }
  }
}

/** Waits so many milliseconds, or until an abort, whose reason it throws. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end, { once: true });
  });
  signal?.throwIfAborted();
}

/** The error that a status stands for. `advice` says what to do about it. */
export function statusError({ name, status, headers }: Reply, advice = ''): LongformerError {
  const said = headers.get('x-error-message');
  const problem = `was refused with status ${status}${said === null ? '' : ` (${said.slice(0, 200)})`}${advice}`;
  if (!PASSING.includes(status)) return new LongformerError('DOWNLOAD', name, problem);
  return new PassingError(name, problem, { wait: retryAfter(headers) });
}

/** The length that the headers claim for the body, or null. */
export function contentLength(headers: Headers): number | null {
  // Of something encoded it counts what is sent, not what comes out.
  return headers.has('content-encoding') ? null : wholeNumber(headers.get('content-length'));
}

/** `bytes 5-9/20` of a partial reply, or null. */
export function contentRange(headers: Headers): { start: number; end: number; total: number | null } | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers.get('content-range') ?? '');
  return match === null ? null : { start: Number(match[1]), end: Number(match[2]) + 1, total: wholeNumber(match[3]!) };
}

/** A number of bytes as a header spells it, or null. */
export function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** An address for messages. */
export function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

/** In milliseconds; the header has seconds or a date. */
function retryAfter(headers: Headers): number {
  const value = headers.get('retry-after') ?? '';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return wait > 0 ? wait : 0;
}

/** `fetch failed` says nothing; what is behind it does. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(error);
}
