// A folder on a web server as a source.

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, LongformerModel, type Progress } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { readText } from '../dist/files/source.js';
import { endless, refuse, sendFile, storageTag, type Behaviour } from './hub-server.ts';
import { assertRefuses } from './rejects.ts';

const MIB = 2 ** 20;
const fixture = new URL('./fixtures/tiny-longformer/', import.meta.url);
const large = Uint8Array.from({ length: 40 * MIB }, (_, i) => (i >> 16) ^ i);
const files = new Map<string, Uint8Array>([
  ['large.bin', large],
  ['empty', new Uint8Array()],
  ['sub/ä b.txt', new TextEncoder().encode('text')],
]);
for (const name of ['config.json', 'model.safetensors']) files.set(name, new Uint8Array(await readFile(new URL(name, fixture))));

interface Context {
  server: Server;
  folder: string;
  asked: string[];
  behaviour: Behaviour;
}

const test = suite<Context>('folder url');

test.before.each(async (context) => {
  context.asked = [];
  context.behaviour = () => false;
  context.server = createServer(({ method, url, headers }, response) => {
    context.asked.push(`${url}${headers.range === undefined ? '' : ` ${headers.range}`}`);
    const asked = { host: 'storage' as const, method: method!, path: url!, headers };
    if (context.behaviour(asked, response)) return;
    const bytes = files.get(decodeURIComponent(url!.replace('/a/model/', '').replace(/\?.*/, '')));
    if (bytes === undefined) refuse(response, 404, {});
    else sendFile(asked, response, bytes, storageTag(bytes.subarray(0, 100)));
  });
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve));
  context.folder = `http://127.0.0.1:${(context.server.address() as AddressInfo).port}/a/model`;
});

test.after.each(async ({ server }) => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('reads small files with one request, and any name', async (context) => {
  const { folder } = context;
  for (const given of [folder, `${folder}/`, new URL(folder)]) {
    const source = await openSource(given);
    assert.is(await readText(source, 'sub/ä b.txt'), 'text');
    assert.is(await readText(source, 'absent'), null);
    assert.is(await readText(source, 'empty'), '');
  }
  assert.equal(context.asked.slice(0, 2), ['/a/model/sub/%C3%A4%20b.txt bytes=0-4194303', '/a/model/absent bytes=0-4194303']);
  assert.is(context.asked.length, 9);
});

test('reads large files in parts, each once while it is near', async (context) => {
  const file = (await (await openSource(context.folder)).open('large.bin'))!;
  assert.is(file.size, large.length);
  for (const [start, end] of [[0, 10], [4 * MIB - 5, 12 * MIB + 5], [20 * MIB, 20 * MIB], [5 * MIB, 6 * MIB], [40 * MIB - 3, 40 * MIB]] as const) {
    assert.equal(await file.read(start, end), large.slice(start, end));
  }
  const parts = context.asked.map((asked) => Number(/bytes=(\d+)/.exec(asked)![1]) / MIB);
  assert.equal(parts, [0, 4, 8, 12, 36]);
  await assertRefuses(() => file.read(0, 40 * MIB + 1), 'BAD_FILE', /large\.bin must have \d+ bytes, ends after/);
  await file.close();
});

test('keeps 8 blocks of all files together', async (context) => {
  const source = await openSource(context.folder);
  const opened = [(await source.open('large.bin'))!, (await source.open('sub/../large.bin'))!, (await source.open('model.safetensors'))!];
  const starts = Array.from({ length: 7 }, (_, i) => 4 * MIB * i);
  for (const start of starts) await opened[start === 0 ? 0 : 1]!.read(start, start + 1);
  context.asked.length = 0;
  for (const start of starts) await opened[0]!.read(start, start + 1); // they are there for either
  assert.equal(context.asked, []);
  await opened[0]!.read(32 * MIB, 32 * MIB + 1); // in the place of the last used longest ago
  await opened[2]!.read(0, 1);
  assert.is(context.asked.length, 2);
});

test('a query goes to every file, and into no message', async (context) => {
  const source = await openSource(`${context.folder}?key=secret`);
  await (await source.open('config.json'))!.close();
  assert.ok(context.asked[0]!.startsWith('/a/model/config.json?key=secret'));
  context.behaviour = (_, response) => {
    refuse(response, 403, {});
    return true;
  };
  await assertRefuses(() => source.open('config.json'), 'DOWNLOAD', /^http:\/\/127\.0\.0\.1:\d+\/a\/model\/config\.json was refused with status 403$/);
});

test('fetches files whole where the server knows no parts', async (context) => {
  context.behaviour = (asked, response) => {
    delete asked.headers.range;
    sendFile(asked, response, files.get('model.safetensors')!, '"x"');
    return true;
  };
  const told: Progress[] = [];
  const file = (await (await openSource(context.folder, { onProgress: (progress) => told.push(progress) })).open('model.safetensors'))!;
  assert.equal(await file.read(5, 500), files.get('model.safetensors')!.slice(5, 500));
  assert.is(told.at(-1)!.done, file.size);
  assert.ok(told.every(({ stage, name, total }) => stage === 'download' && name === 'model.safetensors' && total === file.size));
});

test('what is read whole is refused by its size before it is fetched', async (context) => {
  const source = await openSource(context.folder);
  context.behaviour = (_, response) => {
    response.writeHead(200, { 'content-length': 50e9 }).flushHeaders();
    return true;
  };
  await assertRefuses(() => readText(source, 'config.json'), 'BAD_FILE', /config\.json must be at most 67108864 bytes, has 50000000000/);
  context.behaviour = (_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 0-4194303/50000000000', 'content-length': 4194304 }).flushHeaders();
    return true;
  };
  await assertRefuses(() => readText(source, 'config.json'), 'BAD_FILE', /config\.json must be at most 67108864 bytes, has 50000000000/);
  context.behaviour = (_, response) => {
    response.writeHead(200);
    endless(response);
    return true;
  };
  await assertRefuses(() => readText(source, 'config.json'), 'DOWNLOAD', /config\.json must end after 67108864 bytes, goes on/);
});

test('tries again, and not for ever', async (context) => {
  let failing = 2;
  context.behaviour = (_, response) => {
    if (failing-- <= 0) return false;
    if (failing === 1) response.destroy();
    else response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
    return true;
  };
  assert.is(await readText(await openSource(context.folder), 'sub/ä b.txt'), 'text');
  failing = Infinity;
  await assertRefuses(async () => (await openSource(context.folder)).open('config.json'), 'DOWNLOAD', /config\.json (cannot be reached|broke off)/);
});

test('a file that changes while it is read is refused', async (context) => {
  const file = (await (await openSource(context.folder)).open('large.bin'))!;
  context.behaviour = (asked, response) => {
    sendFile(asked, response, large, '"another"');
    return true;
  };
  await assertRefuses(() => file.read(8 * MIB, 9 * MIB), 'DOWNLOAD', /must stay the same while it is read/);
});

test('nonsense from the server is refused', async (context) => {
  for (const [status, headers] of [[206, { 'content-range': 'bytes 7-8/9' }], [204, {}], [206, {}], [500, { 'retry-after': '999' }]] as const) {
    context.behaviour = (_, response) => {
      response.writeHead(status, headers).end();
      return true;
    };
    await assertRefuses(async () => (await openSource(context.folder)).open('config.json'), 'DOWNLOAD', new RegExp(`status ${status}`));
  }
});

test('refuses what leads out, a password, and to ask where it may not', async ({ folder, asked }) => {
  const source = await openSource(folder);
  for (const name of ['../secret', 'a/../../secret', '/secret']) await assertRefuses(() => source.open(name), 'BAD_FILE', /must stay inside/);
  const error = await openSource(folder.replace('//', '//me:secret@')).catch((thrown: Error) => thrown);
  assert.match((error as Error).message, /must have no name and password/);
  assert.not.match((error as Error).message, /secret/);
  await assertRefuses(() => openSource(folder, { localFilesOnly: true }), 'NOT_FOUND', /localFilesOnly/);
  await assertRefuses(() => openSource(new URL('ftp://127.0.0.1/x')), 'NOT_FOUND', /must be a file:, http: or https: URL/);
  assert.equal(asked, []);
});

test('a model loads from it, and an abort ends the wait', async (context) => {
  await using engine = await createEngine({ threads: 1 });
  const inputIds = [3, 4, 5, 6];
  const [there, here] = [await LongformerModel.fromPretrained(new URL(context.folder), { engine }), await LongformerModel.fromPretrained(fixture, { engine })];
  assert.equal((await there.forward({ inputIds })).lastHiddenState, (await here.forward({ inputIds })).lastHiddenState);
  const controller = new AbortController();
  const reason = new Error('enough');
  context.behaviour = () => { // silence
    setTimeout(() => controller.abort(reason), 20);
    return true;
  };
  assert.is(await LongformerModel.fromPretrained(context.folder, { engine, signal: controller.signal }).catch((thrown: unknown) => thrown), reason);
  assert.is((await there.forward({ inputIds })).lastHiddenState.dims[0], 4);
});

test.run();
