// A Hugging Face Hub in miniature, with its storage host on another port, for tests.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Asked {
  host: 'hub' | 'storage';
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}

/** Answers a request in its own way, or leaves it: false. */
export type Behaviour = (asked: Asked, response: ServerResponse) => boolean;

export interface HubFile {
  bytes: Uint8Array;
  /** Large files are redirected to the storage host. */
  large?: boolean;
}

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export class HubServer {
  /** `org/name` to names to files; all at `COMMIT`, which `main` and `refs/pr/1` stand for. */
  readonly repos = new Map<string, Map<string, HubFile>>();
  readonly log: Asked[] = [];
  behaviour: Behaviour = () => false;
  readonly #hub: Server;
  readonly #storage: Server;

  private constructor() {
    this.#hub = createServer((request, response) => this.#answer('hub', request, response));
    this.#storage = createServer((request, response) => this.#answer('storage', request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const one of [server.#hub, server.#storage]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return addressOf(this.#hub);
  }

  get storage(): string {
    return addressOf(this.#storage);
  }

  /** What was asked since the last call, as `HEAD hub main/config.json`. */
  asked(): string[] {
    return this.log.splice(0).map(({ host, method, path, headers: { range } }) =>
      `${method} ${host} ${path.replace(/^.*\/resolve\//, '').replace(COMMIT, 'COMMIT').replace(/\?.*/, '')}${range === undefined ? '' : ` ${range}`}`);
  }

  async stop(): Promise<void> {
    for (const one of [this.#hub, this.#storage]) {
      one.closeAllConnections();
      await new Promise((resolve) => one.close(resolve));
    }
  }

  #answer(host: Asked['host'], { method, url, headers }: IncomingMessage, response: ServerResponse): void {
    const asked: Asked = { host, method: method!, path: url!, headers };
    this.log.push(asked);
    if (this.behaviour(asked, response)) return;
    if (host === 'storage') this.#store(asked, response);
    else this.#resolve(asked, response);
  }

  #resolve(asked: Asked, response: ServerResponse): void {
    const match = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(asked.path);
    if (match === null) return refuse(response, 404, {});
    const [id, revision, name] = match.slice(1).map(decodeURIComponent) as [string, string, string];
    const repo = this.repos.get(id);
    if (repo === undefined) return refuse(response, 401, { 'x-error-code': 'RepoNotFound', 'x-error-message': 'Repository not found' });
    if (!['main', 'refs/pr/1', COMMIT].includes(revision)) return refuse(response, 404, { 'x-error-code': 'RevisionNotFound' });
    response.setHeader('x-repo-commit', COMMIT);
    const file = repo.get(name);
    if (file === undefined) return refuse(response, 404, { 'x-error-code': 'EntryNotFound' });
    const tag = `"${etagOf(file)}"`;
    if (!file.large) return sendFile(asked, response, file.bytes, tag);
    response.setHeader('x-linked-etag', tag);
    response.setHeader('x-linked-size', file.bytes.length);
    // The redirect has a body and a tag of its own, which are not the file's.
    response.writeHead(302, { location: `${this.storage}/${id}/${name}?signature=secret`, etag: '"of-the-redirect"' }).end('Found. Redirecting');
  }

  #store(asked: Asked, response: ServerResponse): void {
    const [, id, name] = /^\/([^/]+\/[^/]+)\/([^?]+)/.exec(asked.path)!;
    const { bytes } = this.repos.get(id!)!.get(name!)!;
    sendFile(asked, response, bytes, storageTag(bytes));
  }
}

/** What the Hub calls a file by. */
export function etagOf({ bytes, large }: HubFile): string {
  return large ? createHash('sha256').update(bytes).digest('hex')
    : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** The storage host has tags of its own. */
export function storageTag(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

/** A file, or the part of it that is asked for. */
export function sendFile({ method, headers }: Asked, response: ServerResponse, bytes: Uint8Array, tag: string): void {
  response.setHeader('etag', tag);
  response.setHeader('accept-ranges', 'bytes');
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
  const ifRange = headers['if-range'];
  if (range === null || (ifRange !== undefined && ifRange !== tag)) {
    response.writeHead(200, { 'content-length': bytes.length });
    response.end(method === 'HEAD' ? undefined : bytes);
    return;
  }
  const start = Number(range[1]);
  const end = Math.min(range[2] === '' ? Infinity : Number(range[2]) + 1, bytes.length);
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  response.writeHead(206, { 'content-length': end - start, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` });
  response.end(bytes.subarray(start, end));
}

/** Sends so many bytes of a file and then cuts the connection, or keeps it open in silence. */
export function sendBeginning(response: ServerResponse, bytes: Uint8Array, count: number, then: 'cut' | 'silence', tag = storageTag(bytes)): void {
  response.writeHead(200, { 'content-length': bytes.length, etag: tag });
  response.write(bytes.subarray(0, count), () => {
    // So that they arrive before the connection ends.
    if (then === 'cut') setTimeout(() => response.destroy(), 50);
  });
}

/** Sends and sends. */
export function endless(response: ServerResponse): void {
  const bytes = new Uint8Array(2 ** 20);
  const go = (): void => { while (!response.destroyed && response.write(bytes)); };
  response.on('drain', go);
  go();
}

export function refuse(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, headers).end();
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
