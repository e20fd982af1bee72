// The Hub where there is no file system, with a small stand-in for the browser's cache.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openHubInBrowser } from '../dist/files/download/browser-source.js';
import type { Progress } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';

const ID = 'org/tiny';
const URL_OF_CONFIG = 'https://huggingface.co/org/tiny/resolve/main/config.json';

/** As much of the Cache API as is used. */
class FakeCache {
  readonly entries = new Map<string, { bytes: ArrayBuffer; headers: [string, string][] }>();
  isFull = false;

  async match(url: string): Promise<Response | undefined> {
    const found = this.entries.get(url);
    return found && new Response(found.bytes, { headers: found.headers });
  }

  async put(url: string, response: Response): Promise<void> {
    if (this.isFull) {
      await response.body!.cancel();
      throw new DOMException('no room', 'QuotaExceededError');
    }
    this.entries.set(url, { bytes: await response.arrayBuffer(), headers: [...response.headers] });
  }
}

interface Context {
  cache: FakeCache;
  asked: string[];
  reply: (method: string) => Response | Promise<Response>;
  opened: string[];
}

const test = suite<Context>('hub in browsers');
const globals = globalThis as unknown as Record<string, unknown>;
const { fetch: realFetch } = globalThis;

/** Some runtimes have a `caches` of their own, which is not to be written to. */
const setCaches = (value: object): void => { Object.defineProperty(globalThis, 'caches', { value, configurable: true, writable: true }); };

test.before.each((context) => {
  context.cache = new FakeCache();
  context.asked = [];
  context.opened = [];
  context.reply = () => ok('{"a": 1}', '"one"');
  setCaches({ open: async (name: string) => (context.opened.push(name), context.cache) });
  globals['fetch'] = async (url: string, { method = 'GET', signal }: RequestInit) => {
    context.asked.push(`${method} ${url}`);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      Promise.resolve(context.reply(method)).then(resolve, reject);
    });
  };
});

test.after.each(() => {
  delete globals['caches'];
  globals['fetch'] = realFetch;
});

function ok(text: string, etag: string): Response {
  return new Response(text, { headers: { etag, 'content-length': String(text.length) } });
}

async function textOf(name: string, options = {}): Promise<string | null> {
  const file = await (await openHubInBrowser(ID, options)).open(name);
  return file && new TextDecoder().decode(await file.read(0, file.size));
}

test('imports nothing of node', () => {
  const seen = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    for (const [, name] of readFileSync(url, 'utf8').matchAll(/^(?:import|export) [^;]*?from ['"]([^'"]+)['"]/gms)) {
      assert.ok(name!.startsWith('.'), `${url.href} imports ${name}`);
      visit(new URL(name!, url));
    }
  };
  for (const name of ['browser-source', 'folder-url']) visit(new URL(`../dist/files/download/${name}.js`, import.meta.url));
  assert.ok(seen.size > 5);
});

test('keeps a file under its address, and asks only whether it is current', async (context) => {
  const told: Progress[] = [];
  assert.is(await textOf('config.json', { onProgress: (progress: Progress) => told.push(progress) }), '{"a": 1}');
  assert.equal(told, [{ stage: 'download', name: 'config.json', done: 8, total: 8, unit: 'bytes' }]);
  assert.equal(context.opened, ['longformer-wasm']);
  assert.equal([...context.cache.entries.keys()], [URL_OF_CONFIG]);
  assert.is(await textOf('config.json'), '{"a": 1}');
  assert.equal(context.asked, [`GET ${URL_OF_CONFIG}`, `HEAD ${URL_OF_CONFIG}`]);
});

test('a file with another tag is fetched anew', async (context) => {
  await textOf('config.json');
  context.reply = () => ok('{"a": 2}', '"two"');
  assert.is(await textOf('config.json'), '{"a": 2}');
  assert.is(await textOf('config.json'), '{"a": 2}');
  assert.equal(context.asked.map((asked) => asked.split(' ')[0]), ['GET', 'HEAD', 'GET', 'HEAD']);
});

test('what is kept will do without a network, for a commit, and for localFilesOnly', async (context) => {
  await textOf('config.json');
  context.reply = () => Promise.reject(new TypeError('Failed to fetch'));
  assert.is(await textOf('config.json'), '{"a": 1}');
  context.asked.length = 0;
  assert.is(await textOf('config.json', { localFilesOnly: true }), '{"a": 1}');
  assert.is(await textOf('model.safetensors', { localFilesOnly: true }), null);
  context.reply = () => ok('{}', '"three"');
  const revision = '0123456789abcdef0123456789abcdef01234567';
  for (let i = 0; i < 2; i++) assert.is(await textOf('config.json', { revision }), '{}');
  assert.is(context.asked.length, 1);
});

test('without a cache, or room in it, files are fetched into memory', async (context) => {
  context.cache.isFull = true;
  assert.is(await textOf('config.json'), '{"a": 1}');
  setCaches({ open: async () => { throw new DOMException('insecure', 'SecurityError'); } });
  assert.is(await textOf('config.json'), '{"a": 1}');
  delete globals['caches'];
  assert.is(await textOf('config.json'), '{"a": 1}');
  assert.is(context.cache.entries.size, 0);
});

test('a cut connection leaves nothing behind, and is tried again', async (context) => {
  let cut = 1;
  context.reply = () => {
    if (cut-- <= 0) return ok('{"a": 1}', '"one"');
    return new Response(new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode('{"a"')); },
      pull(controller) { controller.error(new TypeError('network error')); },
    }), { headers: { 'content-length': '8' } });
  };
  assert.is(await textOf('config.json'), '{"a": 1}');
  context.reply = () => new Response('short', { headers: { 'content-length': '8' } });
  await assertRefuses(() => textOf('other.json'), 'DOWNLOAD', /other\.json must have 8 bytes, ended after 5/);
  assert.equal([...context.cache.entries.keys()], [URL_OF_CONFIG]);
});

test('a length that may be of something packed is a hint', async (context) => {
  for (const length of [3, 20]) {
    context.reply = () => Object.defineProperty(new Response('{"a": 1}', { headers: { 'content-length': String(length) } }), 'type', { value: 'cors' });
    const told: Progress[] = [];
    assert.is(await textOf(`${length}.json`, { onProgress: (progress: Progress) => told.push(progress) }), '{"a": 1}');
    assert.equal([told.at(-1)!.done, told.at(-1)!.total], [8, 8]);
  }
});

test('files are of the commit that the first answer shows', async (context) => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  context.reply = () => new Response('{}', { headers: { etag: '"one"', 'x-repo-commit': commit } });
  const source = await openHubInBrowser(ID, {});
  for (const name of ['config.json', 'model.safetensors', 'config.json']) await source.open(name);
  const at = (revision: string, name: string): string => `https://huggingface.co/org/tiny/resolve/${revision}/${name}`;
  assert.equal(context.asked, [`GET ${at('main', 'config.json')}`, `GET ${at(commit, 'model.safetensors')}`, `HEAD ${at(commit, 'config.json')}`]);
  assert.equal([...context.cache.entries.keys()], [at('main', 'config.json'), at('main', 'model.safetensors')], 'kept under the revision');
});

test('says what is not there', async (context) => {
  const refused = (status: number, headers: Record<string, string> = {}): void => { context.reply = () => new Response(null, { status, headers }); };
  refused(404, { 'x-error-code': 'EntryNotFound' });
  assert.is(await textOf('config.json'), null);
  refused(404, { 'x-error-code': 'RevisionNotFound' });
  await assertRefuses(() => textOf('config.json'), 'NOT_FOUND', /org\/tiny at https:\/\/huggingface\.co must be a public repository with that revision/);
  refused(401);
  await assertRefuses(() => textOf('config.json'), 'NOT_FOUND', /public/);
  refused(403, { 'x-error-code': 'GatedRepo' });
  await assertRefuses(() => textOf('config.json'), 'DOWNLOAD', /status 403: a browser can only fetch what is public/);
  await assertRefuses(() => textOf('../config.json'), 'BAD_FILE', /must stay inside org\/tiny/);
});

test('an abort ends the wait', async (context) => {
  context.reply = () => new Promise(() => {});
  const controller = new AbortController();
  const reason = new Error('enough');
  const call = textOf('config.json', { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 10);
  assert.is(await call.catch((error: unknown) => error), reason);
});

test.run();
