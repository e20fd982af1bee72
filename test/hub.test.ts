// Checkpoints from the Hub: what is fetched, how it lies in the cache, and what may go wrong.

import { spawn } from 'node:child_process';
import { lstat, mkdtemp, mkdir, readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer, createEngine, LongformerModel, SearchIndex, Tokenizer, type Progress } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { readText } from '../dist/files/source.js';
import { assertFails, longformer } from './command.ts';
import { COMMIT, endless, etagOf, HubServer, refuse, sendBeginning, storageTag, type Behaviour } from './hub-server.ts';
import { programFile } from './program.ts';
import { assertRefuses } from './rejects.ts';

const ID = 'org/tiny';
const fixture = new URL('./fixtures/tiny-longformer/', import.meta.url);
const config = new Uint8Array(await readFile(new URL('config.json', fixture)));
const weights = new Uint8Array(await readFile(new URL('model.safetensors', fixture)));
const SMALL = { bytes: config };
const LARGE = { bytes: weights, large: true };

/** What in the environment of whoever runs the tests would change them. */
const NAMES = [
  'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH', 'HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'XDG_CACHE_HOME',
  'HF_ENDPOINT', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_HUB_DISABLE_SYMLINKS', 'HF_HUB_DISABLE_IMPLICIT_TOKEN',
];
for (const name of NAMES) delete process.env[name];

const test = suite<{ hub: HubServer; cacheDir: string; repo: string }>('hub');

test.before.each(async (context) => {
  context.hub = await HubServer.start();
  context.hub.repos.set(ID, new Map([['config.json', SMALL], ['model.safetensors', LARGE]]));
  context.cacheDir = await mkdtemp(join(tmpdir(), 'hub-'));
  context.repo = join(context.cacheDir, 'models--org--tiny');
  for (const name of NAMES) delete process.env[name];
  process.env['HF_ENDPOINT'] = context.hub.endpoint;
  process.env['HF_HOME'] = join(context.cacheDir, 'home');
});

test.after.each(async ({ hub, cacheDir }) => {
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

async function bytesOf(cacheDir: string, name: string, options = {}): Promise<Uint8Array | null> {
  const file = await (await openSource(ID, { cacheDir, ...options })).open(name);
  try {
    return file && await file.read(0, file.size);
  } finally {
    await file?.close();
  }
}

const partials = async (repo: string): Promise<string[]> => (await readdir(join(repo, 'blobs'))).filter((name) => name.endsWith('.incomplete'));

/** The first replies of the storage host that match, each once. */
function once(...replies: ((response: Parameters<Behaviour>[1]) => void)[]): Behaviour {
  return ({ host }, response) => {
    const reply = host === 'storage' ? replies.shift() : undefined;
    reply?.(response);
    return reply !== undefined;
  };
}

// ---------------------------------------------------------------------------- the cache

test('lays files out as huggingface_hub does', async ({ cacheDir, repo }) => {
  const source = await openSource(ID, { cacheDir });
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
  assert.is(await source.open('sub/tokenizer.json'), null);
  assert.is(await readlink(join(repo, 'snapshots', COMMIT, 'config.json')), `../../blobs/${etagOf(SMALL)}`);
  assert.is(await readlink(join(repo, 'snapshots', COMMIT, 'model.safetensors')), `../../blobs/${etagOf(LARGE)}`);
  assert.equal(new Uint8Array(await readFile(join(repo, 'blobs', etagOf(LARGE)))), weights);
  assert.is(await readFile(join(repo, 'refs', 'main'), 'utf8'), COMMIT);
  assert.is((await lstat(join(repo, '.no_exist', COMMIT, 'sub', 'tokenizer.json'))).size, 0);
  assert.equal((await readdir(join(repo, 'blobs'))).sort(), [etagOf(SMALL), etagOf(LARGE)].sort());
});

test('asks the Hub once for what it has, and for nothing at a commit', async ({ hub, cacheDir }) => {
  await bytesOf(cacheDir, 'config.json');
  assert.equal(hub.asked(), ['HEAD hub main/config.json', 'GET hub COMMIT/config.json']);
  const source = await openSource(ID, { cacheDir });
  for (const name of ['config.json', 'absent', 'config.json', 'absent']) await (await source.open(name))?.close();
  assert.equal(hub.asked(), ['HEAD hub main/config.json', 'HEAD hub COMMIT/absent']);
  assert.equal(await bytesOf(cacheDir, 'config.json', { revision: COMMIT }), config);
  assert.is(await bytesOf(cacheDir, 'absent', { revision: COMMIT }), null);
  assert.equal(hub.asked(), []);
});

test('a revision has a file under refs, folders included', async ({ hub, cacheDir, repo }) => {
  assert.equal(await bytesOf(cacheDir, 'config.json', { revision: 'refs/pr/1' }), config);
  assert.is(await readFile(join(repo, 'refs', 'refs', 'pr', '1'), 'utf8'), COMMIT);
  assert.is(hub.asked()[0], 'HEAD hub refs%2Fpr%2F1/config.json');
});

test('a blob that is there under another name is not fetched again', async ({ hub, cacheDir, repo }) => {
  hub.repos.get(ID)!.set('copy.json', SMALL);
  await bytesOf(cacheDir, 'config.json');
  hub.asked();
  assert.equal(await bytesOf(cacheDir, 'sub/../copy.json'), config);
  assert.equal(hub.asked(), ['HEAD hub main/copy.json']);
  assert.is((await readdir(join(repo, 'blobs'))).length, 1);
});

test('goes without links where there are none', async ({ hub, cacheDir, repo }) => {
  process.env['HF_HUB_DISABLE_SYMLINKS'] = '1';
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
  assert.ok((await lstat(join(repo, 'snapshots', COMMIT, 'config.json'))).isFile());
  hub.asked();
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
  assert.equal(hub.asked(), ['HEAD hub main/config.json']);
});

test('a link to a blob that is gone is made anew', async ({ cacheDir, repo }) => {
  await bytesOf(cacheDir, 'config.json');
  await rm(join(repo, 'blobs', etagOf(SMALL)));
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
});

// ---------------------------------------------------------------------------- offline

test('localFilesOnly and HF_HUB_OFFLINE never ask', async ({ hub, cacheDir }) => {
  await assertRefuses(() => openSource(ID, { cacheDir, localFilesOnly: true }), 'NOT_FOUND', /org\/tiny, revision main, must be in the cache .*hub-.*localFilesOnly/);
  await bytesOf(cacheDir, 'config.json');
  hub.asked();
  assert.equal(await bytesOf(cacheDir, 'config.json', { localFilesOnly: true }), config);
  assert.is(await bytesOf(cacheDir, 'model.safetensors', { localFilesOnly: true }), null);
  await assertRefuses(() => LongformerModel.fromPretrained(ID, { cacheDir, localFilesOnly: true }), 'NOT_FOUND', /org\/tiny \(localFilesOnly\)\/model\.safetensors must be there/);
  await assertRefuses(() => openSource(ID, { cacheDir, localFilesOnly: true, revision: 'v2' }), 'NOT_FOUND', /revision v2/);
  process.env['HF_HUB_OFFLINE'] = '1';
  assert.equal(await bytesOf(cacheDir, 'config.json', { revision: COMMIT }), config);
  await assertRefuses(() => openSource('org/other', { cacheDir }), 'NOT_FOUND', /org\/other.*HF_HUB_OFFLINE/);
  assert.equal(hub.asked(), []);
});

test('what is in the cache will do while the Hub fails', async ({ hub, cacheDir }) => {
  await bytesOf(cacheDir, 'config.json');
  hub.behaviour = (_, response) => {
    refuse(response, 503, {});
    return true;
  };
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
  process.env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
  const source = await openSource(ID, { cacheDir });
  await (await source.open('config.json'))!.close();
  await assertRefuses(() => source.open('model.safetensors'), 'DOWNLOAD', /127\.0\.0\.1:1.*cannot be reached/);
});

// ---------------------------------------------------------------------------- the token

test('the token goes to the Hub and not to where a file is stored', async ({ hub, cacheDir }) => {
  process.env['HF_TOKEN'] = 'hf_secret';
  await bytesOf(cacheDir, 'model.safetensors');
  assert.equal(hub.log.map(({ host, method, headers: { authorization } }) => [host, method, authorization]), [
    ['hub', 'HEAD', 'Bearer hf_secret'], ['hub', 'GET', 'Bearer hf_secret'], ['storage', 'GET', undefined],
  ]);
});

test('follows redirects inside the Hub with the token, and no other scheme', async ({ hub, cacheDir }) => {
  process.env['HF_TOKEN'] = 'hf_secret';
  hub.behaviour = ({ path }, response) => {
    if (!path.startsWith('/old/name/')) return false;
    response.writeHead(307, { location: path.replace('/old/name/', `/${ID}/`) }).end();
    return true;
  };
  const file = (await (await openSource('old/name', { cacheDir })).open('config.json'))!;
  assert.equal(await file.read(0, file.size), config);
  await file.close();
  assert.ok(hub.log.every(({ headers }) => headers.authorization === 'Bearer hf_secret'));
  hub.behaviour = (_, response) => {
    response.writeHead(302, { location: 'file:///etc/passwd', 'x-repo-commit': COMMIT }).end();
    return true;
  };
  await assertRefuses(() => bytesOf(join(cacheDir, 'other'), 'config.json'), 'DOWNLOAD', /must lead to an http: or https: address/);
  hub.behaviour = ({ path }, response) => {
    response.writeHead(302, { location: path }).end();
    return true;
  };
  await assertRefuses(() => bytesOf(join(cacheDir, 'other'), 'config.json'), 'DOWNLOAD', /must not redirect more than/);
});

test('finds the token in the environment, or in its file', async ({ hub, cacheDir }) => {
  const sent = async (): Promise<string | undefined> => {
    await bytesOf(cacheDir, 'config.json');
    return hub.log.splice(0)[0]!.headers.authorization;
  };
  assert.is(await sent(), undefined);
  await mkdir(join(cacheDir, 'home'));
  await writeFile(join(cacheDir, 'home', 'token'), 'hf_home\n');
  assert.is(await sent(), 'Bearer hf_home');
  await writeFile(join(cacheDir, 'token'), 'hf_path\n');
  process.env['HF_TOKEN_PATH'] = join(cacheDir, 'token');
  assert.is(await sent(), 'Bearer hf_path');
  process.env['HUGGING_FACE_HUB_TOKEN'] = 'hf_older';
  assert.is(await sent(), 'Bearer hf_older');
  process.env['HF_TOKEN'] = ' hf_newer ';
  assert.is(await sent(), 'Bearer hf_newer');
  process.env['HF_HUB_DISABLE_IMPLICIT_TOKEN'] = '1'; // that of the environment as well, as in Python
  assert.is(await sent(), undefined);
  delete process.env['HF_HUB_DISABLE_IMPLICIT_TOKEN'];
  process.env['HF_TOKEN'] = 'two\nlines';
  await assertRefuses(sent, 'BAD_INPUT', /token of the Hub must be one word/);
});

test('the cache is where huggingface_hub has it', async ({ cacheDir }) => {
  const landsIn = async (folder: string): Promise<void> => {
    await bytesOf(undefined as unknown as string, 'config.json');
    assert.ok((await readdir(join(cacheDir, folder))).includes('models--org--tiny'), folder);
    await rm(join(cacheDir, folder), { recursive: true });
  };
  delete process.env['HF_HOME'];
  process.env['XDG_CACHE_HOME'] = cacheDir;
  await landsIn('huggingface/hub');
  process.env['PLACE'] = cacheDir;
  process.env['HF_HOME'] = '$PLACE/home';
  await landsIn('home/hub');
  process.env['HUGGINGFACE_HUB_CACHE'] = join(cacheDir, 'older');
  await landsIn('older');
  process.env['HF_HUB_CACHE'] = '${PLACE}/newer';
  await landsIn('newer');
});

// ---------------------------------------------------------------------------- refusals

test('says what was refused, and what to do', async ({ hub, cacheDir }) => {
  const refuses = async (status: number, headers: Record<string, string>, ...expected: [Parameters<typeof assertRefuses>[1], ...RegExp[]]): Promise<void> => {
    hub.behaviour = (_, response) => {
      refuse(response, status, headers);
      return true;
    };
    await assertRefuses(() => bytesOf(cacheDir, 'config.json'), ...expected);
  };
  await refuses(401, { 'x-error-code': 'RepoNotFound' }, 'NOT_FOUND', /org\/tiny at http.* does not exist, or is private: set HF_TOKEN/);
  await refuses(401, {}, 'NOT_FOUND', /set HF_TOKEN/);
  await refuses(404, { 'x-error-code': 'RepoNotFound' }, 'NOT_FOUND', /does not exist/);
  await refuses(404, { 'x-error-code': 'RevisionNotFound' }, 'NOT_FOUND', /must have the revision "main"/);
  await refuses(403, { 'x-error-code': 'GatedRepo' }, 'DOWNLOAD', /is gated: ask for access at http.*org\/tiny, and set HF_TOKEN/);
  await refuses(403, { 'x-error-message': 'not for you' }, 'DOWNLOAD', /status 403 \(not for you\): HF_TOKEN must/);
  await refuses(418, {}, 'DOWNLOAD', /status 418/);
  await refuses(200, { etag: '"abc"' }, 'DOWNLOAD', /X-Repo-Commit/);
  await refuses(200, { 'x-repo-commit': '../../..', etag: '"abc"' }, 'DOWNLOAD', /X-Repo-Commit/);
  await refuses(200, { 'x-repo-commit': COMMIT, etag: '"../../escaped"' }, 'DOWNLOAD', /ETag of letters and digits, has "..\/..\/escaped"/);
  process.env['HF_TOKEN'] = 'hf_secret';
  await refuses(401, { 'x-error-message': 'Invalid credentials in Authorization header' }, 'DOWNLOAD', /refuses the token/);
  await refuses(403, { 'x-error-code': 'GatedRepo' }, 'DOWNLOAD', /the given one was refused/);
  await refuses(404, { 'x-error-code': 'RepoNotFound' }, 'NOT_FOUND', /the given token must be allowed/);
});

test('a folder that is not there may read like an id: the error says both', async ({ cacheDir }) => {
  const folder = /; there is no folder "models\/nothing" here/;
  const open = async (options = {}): Promise<unknown> => (await openSource('models/nothing', { cacheDir, ...options })).open('config.json');
  await assertRefuses(open, 'NOT_FOUND', /does not exist/, folder);
  await assertRefuses(() => open({ localFilesOnly: true }), 'NOT_FOUND', /must be in the cache/, folder);
  process.env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
  await assertRefuses(open, 'DOWNLOAD', /cannot be reached/, folder);
});

test('what is neither a directory nor an id is not asked for', async ({ hub, cacheDir }) => {
  for (const id of ['a/b/c', 'org/', 'org/na me', 'org/../x', 'org--x/y', 'C:\\models\\x', 'org/x.git', '-org/x', 'x'.repeat(100)]) {
    await assertRefuses(() => openSource(id, { cacheDir }), 'NOT_FOUND', /is no directory, and no id of the Hugging Face Hub/);
  }
  for (const revision of ['', '..', 'a/../b', '/a', 'a//b', 'a\\b', '.hidden', 'a\0', 'a b', 7 as unknown as string]) {
    await assertRefuses(() => openSource(ID, { cacheDir, revision }), 'BAD_INPUT', /revision must be/);
    await assertRefuses(() => LongformerModel.fromPretrained(ID, { cacheDir, revision }), 'BAD_INPUT', /revision must be/);
  }
  const none = { open: async () => null };
  for (const load of [openSource, LongformerModel.fromPretrained, SearchIndex.create, Tokenizer.fromPretrained]) {
    await assertRefuses(() => load(none, { revision: '..' }), 'BAD_INPUT', /revision must be/);
    await assertRefuses(() => load(7 as unknown as string, {}), 'BAD_INPUT', /source must be a path, a URL or an object with open\(name\), got 7/);
  }
  await assertRefuses(() => openSource(ID, { cacheDir: '' }), 'BAD_INPUT', /cacheDir/);
  await assertRefuses(() => openSource(ID, { localFilesOnly: 'yes' as unknown as boolean }), 'BAD_INPUT', /localFilesOnly/);
  const source = await openSource(ID, { cacheDir });
  for (const name of ['../../x', '/etc/passwd', 'a/../../x', '..\\x', 'a\0']) await assertRefuses(() => source.open(name), 'BAD_FILE', /must stay inside org\/tiny/);
  assert.is(await source.open('a/..'), null);
  await assertRefuses(() => source.open('\ud800'), 'BAD_FILE', /must be Unicode text/);
  process.env['HF_ENDPOINT'] = 'not an address';
  await assertRefuses(() => openSource(ID, { cacheDir }), 'BAD_INPUT', /HF_ENDPOINT must be an address/);
  assert.equal(hub.asked(), []);
});

test('a cache that cannot be written to is named', async ({ cacheDir }) => {
  await writeFile(join(cacheDir, 'file'), '');
  await assertRefuses(() => bytesOf(join(cacheDir, 'file'), 'config.json'), 'DOWNLOAD', /file.models--org--tiny.* cannot be written/);
});

// ---------------------------------------------------------------------------- broken transfers

test('tries again while the Hub is busy, and gives up in the end', async ({ hub, cacheDir }) => {
  let busy = 2;
  hub.behaviour = (_, response) => {
    if (busy-- <= 0) return false;
    refuse(response, busy === 1 ? 503 : 429, { 'retry-after': '0' });
    return true;
  };
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
  hub.asked();
  busy = Infinity;
  await assertRefuses(() => bytesOf(join(cacheDir, 'other'), 'config.json'), 'DOWNLOAD', /status 429/);
  assert.is(hub.asked().length, 5);
});

test('waits as long as it is asked to, but not for an hour', async ({ hub, cacheDir }) => {
  hub.behaviour = (_, response) => {
    refuse(response, 429, { 'retry-after': '3600' });
    return true;
  };
  await assertRefuses(() => bytesOf(cacheDir, 'config.json'), 'DOWNLOAD', /status 429/);
  assert.is(hub.asked().length, 1);
});

test('goes on where a connection was cut', async ({ hub, cacheDir, repo }) => {
  const half = weights.length >> 1;
  hub.behaviour = once((response) => sendBeginning(response, weights, half, 'cut'));
  const told: Progress[] = [];
  assert.equal(await bytesOf(cacheDir, 'model.safetensors', { onProgress: (progress: Progress) => told.push(progress) }), weights);
  const second = hub.log.at(-1)!;
  assert.is(second.headers['if-range'], storageTag(weights), 'by the tag of the storage host');
  assert.equal(hub.asked().filter((asked) => asked.includes('storage')), ['GET storage /org/tiny/model.safetensors', `GET storage /org/tiny/model.safetensors bytes=${half}-`]);
  assert.equal(await readdir(join(repo, 'blobs')), [etagOf(LARGE)]);
  assert.ok(told.every(({ stage, name, total, unit }) => stage === 'download' && name === 'model.safetensors' && total === weights.length && unit === 'bytes'));
  assert.ok(told.every(({ done }, i) => i === 0 || done > told[i - 1]!.done));
  assert.is(told.at(-1)!.done, weights.length);
});

test('fetches anew what changed in the meantime, or cannot be sent in part', async ({ hub, cacheDir }) => {
  const half = weights.length >> 1;
  const other = Uint8Array.from(weights, (byte) => byte ^ 1);
  hub.behaviour = once((response) => sendBeginning(response, other, half, 'cut'));
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
  assert.is(hub.log.at(-1)!.headers['if-range'], storageTag(other));
  hub.behaviour = once(
    (response) => sendBeginning(response, weights, half, 'cut'),
    (response) => refuse(response, 416, {}),
    (response) => sendBeginning(response, weights, half, 'cut'),
    (response) => response.writeHead(206, { 'content-range': `bytes 0-${half - 1}/${weights.length}` }).end(weights.subarray(0, half)),
  );
  assert.equal(await bytesOf(join(cacheDir, 'other'), 'model.safetensors'), weights);
});

test('gives up on a connection that is always cut at the same place', async ({ hub, cacheDir }) => {
  hub.behaviour = ({ host, headers }, response) => {
    if (host === 'hub') return false;
    if (headers.range === undefined) sendBeginning(response, weights, 1000, 'cut');
    else response.destroy();
    return true;
  };
  await assertRefuses(() => bytesOf(cacheDir, 'model.safetensors'), 'DOWNLOAD', /127\.0\.0\.1:\d+\/org\/tiny\/model\.safetensors (broke off|cannot be reached)/);
  assert.not.ok(hub.log.some(({ headers }) => headers.range !== undefined && headers.range !== 'bytes=1000-'));
});

test('gives up on a connection that is cut after every byte', async ({ hub, cacheDir }) => {
  const cutAfter = (count: number): void => {
    hub.behaviour = ({ host, headers: { range } }, response) => {
      if (host === 'hub') return false;
      const start = range === undefined ? 0 : Number(/\d+/.exec(range)![0]);
      response.writeHead(206, { 'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}`, 'content-length': weights.length - start });
      response.write(weights.subarray(start, start + count), () => setTimeout(() => response.destroy(), 50));
      return true;
    };
  };
  cutAfter(1);
  await assertRefuses(() => bytesOf(cacheDir, 'model.safetensors'), 'DOWNLOAD', /broke off/);
  assert.is(hub.asked().filter((asked) => asked.includes('storage')).length, 5);
  cutAfter(2 ** 16);
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
  assert.ok(hub.asked().filter((asked) => asked.includes('storage')).length > 5);
});

test('an aborted download goes on with the next call', async ({ hub, cacheDir, repo }) => {
  const half = weights.length >> 1;
  hub.behaviour = once((response) => sendBeginning(response, weights, half, 'silence'));
  const controller = new AbortController();
  const reason = new Error('enough');
  const call = bytesOf(cacheDir, 'model.safetensors', { signal: controller.signal, onProgress: ({ done }: Progress) => { if (done === half) controller.abort(reason); } });
  assert.is(await call.catch((error: unknown) => error), reason);
  assert.is((await partials(repo)).length, 1);
  hub.asked();
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
  assert.is(hub.asked().at(-1), `GET storage /org/tiny/model.safetensors bytes=${half}-`);
  assert.equal(await readdir(join(repo, 'blobs')), [etagOf(LARGE)]);
});

test('a partial file with other bytes is found out, and fetched anew', async ({ hub, cacheDir, repo }) => {
  await mkdir(join(repo, 'blobs'), { recursive: true });
  const partial = join(repo, 'blobs', `${etagOf(LARGE)}.0123abcd.partial.incomplete`);
  for (const bytes of [new Uint8Array(1000), new Uint8Array(weights.length), new Uint8Array(weights.length + 1)]) {
    await writeFile(partial, bytes);
    await utimes(partial, 0, 0);
    assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
    assert.equal(await readdir(join(repo, 'blobs')), [etagOf(LARGE)]);
    await rm(join(repo, 'blobs', etagOf(LARGE)));
  }
  assert.ok(hub.asked().includes('GET storage /org/tiny/model.safetensors bytes=1000-'));
});

test('bytes that are not those of the hash are refused', async ({ hub, cacheDir, repo }) => {
  const wrong = Uint8Array.from(weights, (byte, i) => (i === 5000 ? byte ^ 1 : byte));
  hub.behaviour = ({ host }, response) => {
    if (host === 'storage') response.writeHead(200, { 'content-length': wrong.length }).end(wrong);
    return host === 'storage';
  };
  await assertRefuses(() => bytesOf(cacheDir, 'model.safetensors'), 'DOWNLOAD', /model\.safetensors must have the hash .*: what came is not the file/);
  hub.behaviour = ({ method }, response) => {
    if (method === 'GET') response.writeHead(200, { 'content-length': config.length }).end(Uint8Array.from(config, (byte) => byte ^ 1));
    return method === 'GET';
  };
  await assertRefuses(() => bytesOf(cacheDir, 'config.json'), 'DOWNLOAD', /config\.json must have the hash/);
  hub.behaviour = ({ host }, response) => {
    if (host === 'storage') response.writeHead(200).end(Buffer.concat([weights, weights]));
    return host === 'storage';
  };
  await assertRefuses(() => bytesOf(cacheDir, 'model.safetensors'), 'DOWNLOAD', /must end after \d+ bytes, goes on/);
  assert.equal((await readdir(join(repo, 'blobs'))).filter((name) => !name.includes('.')), []);
  hub.behaviour = () => false;
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
});

test('without a hash the length is checked, without either nothing is taken', async ({ hub, cacheDir }) => {
  let length: number | null = null;
  hub.behaviour = ({ method }, response) => {
    response.writeHead(200, { 'x-repo-commit': COMMIT, etag: '"a-tag"', ...(length !== null && { 'content-length': length }) });
    response.end(method === 'HEAD' ? undefined : config);
    return true;
  };
  await assertRefuses(() => bytesOf(cacheDir, 'config.json'), 'DOWNLOAD', /config\.json must come with a hash or a length/);
  length = config.length;
  assert.equal(await bytesOf(cacheDir, 'config.json'), config);
});

test('what is read whole is refused by its size before it is fetched', async ({ hub, cacheDir, repo }) => {
  const source = await openSource(ID, { cacheDir });
  hub.behaviour = ({ method }, response) => {
    if (method === 'HEAD') response.writeHead(200, { 'x-repo-commit': COMMIT, etag: `"${etagOf(SMALL)}"`, 'content-length': 50e9 }).end();
    return method === 'HEAD';
  };
  await assertRefuses(() => readText(source, 'config.json'), 'BAD_FILE', /org\/tiny\/config\.json must be at most 67108864 bytes, has 50000000000/);
  // Nobody says how long it is.
  hub.behaviour = ({ method }, response) => {
    response.writeHead(200, { 'x-repo-commit': COMMIT, etag: `"${etagOf(SMALL)}"`, 'transfer-encoding': 'chunked' });
    if (method === 'HEAD') response.end();
    else endless(response);
    return true;
  };
  await assertRefuses(() => readText(source, 'config.json'), 'DOWNLOAD', /config\.json must end after 67108864 bytes, goes on/);
  const [partial] = await partials(repo);
  assert.ok((await lstat(join(repo, 'blobs', partial!))).size <= 2 ** 26);
});

// ---------------------------------------------------------------------------- processes

/** A process that fetches the weights, and says `done` when it has them. */
function fetching(cacheDir: string): { ended: Promise<string>; kill(): void } {
  const program = `import { openSource } from ${JSON.stringify(new URL('../dist/files/open.js', import.meta.url).href)};
    const file = await (await openSource('${ID}', { cacheDir: ${JSON.stringify(cacheDir)} })).open('model.safetensors');
    await file.close();
    console.log('done');`;
  const child = spawn(process.execPath, [programFile(program)], { env: process.env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
  return { ended: new Promise((resolve) => child.on('close', () => resolve(output.trim()))), kill: () => child.kill('SIGKILL') };
}

test('several processes may fetch the same file', async ({ hub, cacheDir, repo }) => {
  hub.behaviour = ({ host }, response) => { // slowly, so that they meet
    if (host !== 'storage') return false;
    response.writeHead(200, { 'content-length': weights.length });
    let at = 0;
    const timer = setInterval(() => {
      response.write(weights.subarray(at, at += 20_000));
      if (at >= weights.length) response.end(() => clearInterval(timer));
    }, 20);
    return true;
  };
  const ended = await Promise.all([1, 2, 3].map(() => fetching(cacheDir).ended));
  assert.equal(ended, ['done', 'done', 'done']);
  assert.equal(await readdir(join(repo, 'blobs')), [etagOf(LARGE)]);
  assert.equal(await bytesOf(cacheDir, 'model.safetensors', { localFilesOnly: true }), weights);
});

test('a cache that is removed meanwhile is made anew', async ({ hub, cacheDir, repo }) => {
  hub.behaviour = once((response) => {
    sendBeginning(response, weights, 1000, 'silence');
    setTimeout(async () => {
      await rm(repo, { recursive: true });
      response.destroy();
    }, 100);
  });
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
  assert.equal(await readdir(join(repo, 'blobs')), [etagOf(LARGE)]);
});

test('what a killed process began, another goes on with', async ({ hub, cacheDir, repo }) => {
  const half = weights.length >> 1;
  const killed = fetching(cacheDir);
  hub.behaviour = once((response) => {
    sendBeginning(response, weights, half, 'silence');
    const timer = setInterval(async () => {
      const [partial] = await partials(repo).catch(() => []);
      if (partial === undefined || (await lstat(join(repo, 'blobs', partial))).size < half) return;
      clearInterval(timer);
      killed.kill();
    }, 20);
  });
  assert.is(await killed.ended, '');
  hub.asked();
  assert.equal(await bytesOf(cacheDir, 'model.safetensors'), weights);
  assert.is(hub.asked().at(-1), `GET storage /org/tiny/model.safetensors bytes=${half}-`);
  assert.equal(await readdir(join(repo, 'blobs')), [etagOf(LARGE)]);
});

// ---------------------------------------------------------------------------- what loads

test('a model loads by its id, and gives the numbers of the folder', async ({ hub, cacheDir }) => {
  await using engine = await createEngine({ threads: 1 });
  const told: Progress[] = [];
  const model = await LongformerModel.fromPretrained(ID, { engine, cacheDir, onProgress: (progress) => told.push(progress) });
  const local = await LongformerModel.fromPretrained(fixture, { engine });
  const inputIds = [3, 4, 5, 6];
  assert.equal((await model.forward({ inputIds })).lastHiddenState, (await local.forward({ inputIds })).lastHiddenState);
  assert.equal([...new Set(told.map(({ stage, name }) => (stage === 'download' ? name : stage)))], ['config.json', 'model.safetensors', 'load']);
  await assertRefuses(() => LongformerModel.fromPretrained('org/other', { engine, cacheDir }), 'NOT_FOUND', /org\/other/);
  process.env['HF_HUB_OFFLINE'] = '1'; // the engine's worker sees what changes
  await assertRefuses(() => LongformerModel.fromPretrained('org/other', { engine, cacheDir }), 'NOT_FOUND', /HF_HUB_OFFLINE/);
  hub.asked();
  await LongformerModel.fromPretrained(ID, { engine, cacheDir });
  assert.equal(hub.asked(), []);
});

test('an abort reaches a download in the engine, which lives on', async ({ hub, cacheDir }) => {
  await using engine = await createEngine({ threads: 1 });
  hub.behaviour = once((response) => sendBeginning(response, weights, 1000, 'silence'));
  const controller = new AbortController();
  const reason = new Error('enough');
  const call = LongformerModel.fromPretrained(ID, {
    engine, cacheDir, signal: controller.signal, onProgress: ({ name, done }) => { if (name === 'model.safetensors' && done === 1000) controller.abort(reason); },
  });
  assert.is(await call.catch((error: unknown) => error), reason);
  assert.is(hub.asked().filter((asked) => asked.includes('storage')).length, 1, 'it ended then, not when the silence was too long');
  await (await LongformerModel.fromPretrained(ID, { engine, cacheDir })).dispose();
  assert.ok(hub.asked().includes('GET storage /org/tiny/model.safetensors bytes=1000-'));
});

test('an abort ends a wait before the next try', async ({ hub, cacheDir }) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  hub.behaviour = (_, response) => {
    refuse(response, 503, { 'retry-after': '50' });
    setTimeout(() => controller.abort(reason), 20);
    return true;
  };
  assert.is(await bytesOf(cacheDir, 'config.json', { signal: controller.signal }).catch((error: unknown) => error), reason);
});

test('tokenizers, conversions, indexes and commands take an id', async ({ hub, cacheDir }) => {
  const bert = new Map<string, { bytes: Uint8Array; large?: boolean }>();
  for (const name of ['config.json', 'model.safetensors', 'vocab.txt', 'tokenizer_config.json']) {
    bert.set(name, { bytes: new Uint8Array(await readFile(new URL(`./fixtures/tiny-bert/${name}`, import.meta.url))), large: name === 'model.safetensors' });
  }
  hub.repos.set('org/bert', bert);
  const told: Progress[] = [];
  const tokenizer = await Tokenizer.fromPretrained('org/bert', { cacheDir, onProgress: (progress) => told.push(progress) });
  assert.is(tokenizer.vocabSize, 30);
  assert.equal([...new Set(told.map(({ name }) => name))], ['tokenizer_config.json', 'vocab.txt']);

  const target = join(cacheDir, 'converted');
  await convertToLongformer('org/bert', target, { maxPositions: 64, attentionWindow: 16, cacheDir });
  hub.repos.set('org/long', new Map(await Promise.all((await readdir(target)).filter((name) => name.includes('.')).map(async (name) =>
    [name, { bytes: new Uint8Array(await readFile(join(target, name))) }] as const))));
  const index = await SearchIndex.create('org/long', { threads: 1, cacheDir, passages: { maxTokens: 16 } });
  await index.dispose();

  process.env['HF_HUB_CACHE'] = cacheDir;
  await writeFile(join(cacheDir, 'text.txt'), 'a b a b');
  const { code, stderr } = await longformer(['attend', '--model', 'org/long', '--revision', 'main', '--position', '1', '--threads', '1', join(cacheDir, 'text.txt')]);
  assert.is(code, 0, stderr);
  const revisions = hub.asked().filter((asked) => asked.includes(' main/')).length;
  assert.is(revisions, 4, 'a load of each kind asks once what the revision stands for');

  delete process.env['HF_HUB_CACHE'];
  const local = ['--cache-dir', cacheDir, '--offline'];
  for (const args of [
    ['attend', '--model', 'org/long', '--dtype', 'int8', '--position', '1', join(cacheDir, 'text.txt')],
    ['search', '--model', 'org/long', '--dtype', 'f16', '--max-tokens', '16', 'a', join(cacheDir, 'text.txt')],
    ['convert', 'org/bert', join(cacheDir, 'again'), '--attention-window', '16', '--max-positions', '64'],
  ]) {
    const { code, stderr } = await longformer([...args, ...local]);
    assert.is(code, 0, stderr);
  }
  assertFails(await longformer(['attend', '--model', 'org/long', '--offline', '--position', '1', join(cacheDir, 'text.txt')]), 1, /must be in the cache .*localFilesOnly/);
  assert.equal(hub.asked(), []);
  const missing = await longformer(['search', '--model', 'org/none', 'a b', join(cacheDir, 'text.txt')]);
  assert.is(missing.code, 1);
  assert.match(missing.stderr, /org\/none at http.* does not exist, or is private/);
});

test('text that a source has is read as text', async ({ cacheDir }) => {
  assert.is(await readText(await openSource(ID, { cacheDir }), 'config.json'), Buffer.from(config).toString());
});

test.run();
