import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSource } from '../dist/files/open.js';
import { readJson, readText } from '../dist/files/source.js';
import { assertRefuses } from './rejects.ts';

const test = suite<{ root: string }>('source');

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'source-'));
  await mkdir(join(context.root, 'model', '1_Pooling'), { recursive: true });
  await writeFile(join(context.root, 'model', 'config.json'), '{"a": "ä"}');
  await writeFile(join(context.root, 'model', '1_Pooling', 'config.json'), '{"b": 2}');
  await writeFile(join(context.root, 'secret.txt'), 'secret');
});

test.after(async ({ root }) => rm(root, { recursive: true }));

test('a path and a file: URL are directories', async ({ root }) => {
  const path = join(root, 'model');
  for (const given of [path, `${path}/`, new URL(pathToFileURL(path).href), pathToFileURL(path).href]) {
    const source = await openSource(given);
    assert.equal(await readJson(source, 'config.json'), { a: 'ä' });
    assert.equal(await readJson(source, '1_Pooling/config.json'), { b: 2 });
  }
});

test('a bare name is a directory if there is one', async ({ root }) => {
  const before = process.cwd();
  process.chdir(root);
  try {
    assert.equal(await readJson(await openSource('model'), 'config.json'), { a: 'ä' });
    assert.equal(await readJson(await openSource('./model'), 'config.json'), { a: 'ä' });
  } finally {
    process.chdir(before);
  }
});

test('gives null for what is no file', async ({ root }) => {
  const source = await openSource(join(root, 'model'));
  for (const name of ['absent.json', '1_Pooling', 'config.json/deeper', '']) assert.is(await source.open(name), null, name);
});

test('reads any range, and names the file that ends too early', async ({ root }) => {
  const path = join(root, 'shrinks.bin');
  await writeFile(path, new Uint8Array([1, 2, 3, 4, 5]));
  const file = (await (await openSource(root)).open('shrinks.bin'))!;
  assert.is(file.size, 5);
  assert.equal([...await file.read(1, 4)], [2, 3, 4]);
  assert.equal([...await file.read(5, 5)], []);
  await assertRefuses(() => file.read(3, 9), 'BAD_FILE', /shrinks\.bin must have 9 bytes, ends after 5/);
  await truncate(path, 2);
  await assertRefuses(() => file.read(0, 5), 'BAD_FILE', /ends after 2/);
  await file.close();
});

test('what the system refuses names the file', async ({ root }) => {
  await writeFile(join(root, 'failing.bin'), new Uint8Array(8));
  const source = await openSource(root);
  const handle = await open(join(root, 'failing.bin'));
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { read, stat } = prototype;
  let failed = handle;
  const fail = async function (this: typeof handle) {
    failed = this;
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  };
  try {
    const file = (await source.open('failing.bin'))!;
    prototype.read = fail;
    await assertRefuses(() => file.read(0, 4), 'BAD_FILE', /failing\.bin cannot be read: EIO/);
    const error = await file.read(0, 4).catch((thrown: Error) => thrown);
    assert.is(((error as Error).cause as NodeJS.ErrnoException).code, 'EIO');
    await file.close();

    prototype.stat = fail;
    await assertRefuses(() => source.open('failing.bin'), 'BAD_FILE', /failing\.bin cannot be read: EIO/);
    assert.is(failed.fd, -1, 'it is closed');
  } finally {
    Object.assign(prototype, { read, stat });
  }
});

test('names must not escape the directory', async ({ root }) => {
  const source = await openSource(join(root, 'model'));
  for (const name of ['../secret.txt', '1_Pooling/../../secret.txt', join(root, 'secret.txt'), '..', 'config.json\0.txt']) {
    await assertRefuses(() => source.open(name), 'BAD_FILE', /file name ".*" must stay inside/);
  }
});

test('names with half of a surrogate pair are refused: no address can hold them', async ({ root }) => {
  for (const given of [join(root, 'model'), { open: async () => new Blob(['x']) }, 'http://127.0.0.1:1/model']) {
    const source = await openSource(given);
    for (const name of ['\ud800', 'a/\udc00x']) await assertRefuses(() => source.open(name), 'BAD_FILE', /file name "[^"]*ud[8c]00.*" must be Unicode text/);
  }
});

test('a file has one name, however it is spelled', async () => {
  const asked: string[] = [];
  const source = await openSource({ open: async (name) => (asked.push(name), null) });
  for (const name of ['a/b', './a//b', 'x/../a/b', 'a\\.\\b/', 'a/..']) await source.open(name);
  assert.equal(asked, ['a/b', 'a/b', 'a/b', 'a/b', '']);
});

test('a link inside the directory may lead out of it', async ({ root }) => {
  await symlink(join(root, 'secret.txt'), join(root, 'model', 'linked.txt'));
  assert.is(await readText(await openSource(join(root, 'model')), 'linked.txt'), 'secret');
});

test('a name that begins with dots is no escape', async ({ root }) => {
  await writeFile(join(root, 'model', '..odd'), 'odd');
  assert.is(await readText(await openSource(join(root, 'model')), '..odd'), 'odd');
});

test('a directory that is none is NOT_FOUND', async ({ root }) => {
  await assertRefuses(() => openSource(join(root, 'absent')), 'NOT_FOUND', /absent must be a directory/);
  await assertRefuses(() => openSource('./absent'), 'NOT_FOUND', /absent must be a directory/);
  await assertRefuses(() => openSource(join(root, 'secret.txt')), 'NOT_FOUND', /secret\.txt must be a directory/);
  await assertRefuses(() => openSource(pathToFileURL(join(root, 'absent')).href), 'NOT_FOUND', /must be a directory/);
});

test('what is neither a directory, an id nor a web address is refused with a reason', async () => {
  await assertRefuses(() => openSource('nobody/nothing/there'), 'NOT_FOUND', /"nobody\/nothing\/there" is no directory, and no id of the Hugging Face Hub/);
  await assertRefuses(() => openSource(new URL('data:text/plain,x')), 'NOT_FOUND', /must be a file:, http: or https: URL/);
});

test('an argument that is no source is BAD_INPUT', async () => {
  for (const nonsense of ['', null, undefined, 3, {}]) {
    await assertRefuses(() => openSource(nonsense as unknown as string), 'BAD_INPUT', /source must/);
  }
});

test('Blobs by name are a source', async () => {
  const files = new Map([['config.json', new Blob(['{"a": 1}'])]]);
  const source = await openSource({ open: async (name) => files.get(name) ?? null });
  assert.equal(await readJson(source, 'config.json'), { a: 1 });
  assert.is(await source.open('absent'), null);
  const file = (await source.open('config.json'))!;
  assert.equal([...await file.read(1, 4)], [...new TextEncoder().encode('"a"')]);
  await assertRefuses(() => file.read(4, 99), 'BAD_FILE', /config\.json must have 99 bytes, ends after 8/);
});

test('Blobs are not asked for names that escape', async () => {
  const source = await openSource({ open: async () => new Blob(['secret']) });
  for (const name of ['../secret.txt', 'a/../../secret.txt', '/secret.txt', 'C:\\secret.txt', '..\\secret.txt', 'a\0']) {
    await assertRefuses(() => source.open(name), 'BAD_FILE', /must stay inside the given files/);
  }
  assert.ok(await source.open('a/../..b'));
});

test('a Blob that gives fewer bytes than it has is refused', async () => {
  const source = await openSource({ open: async () => ({ size: 9, slice: () => new Blob(['abc']) }) as unknown as Blob });
  const file = await source.open('a');
  await assertRefuses(() => file!.read(0, 9), 'BAD_FILE', /a must give the 9 bytes from 0 on, gives 3/);
});

test('what is no Blob is refused, undefined is no file', async () => {
  const undefinedGiver = await openSource({ open: async () => undefined as unknown as Blob });
  assert.is(await undefinedGiver.open('a'), null);
  const textGiver = await openSource({ open: async () => 'text' as unknown as Blob });
  await assertRefuses(() => textGiver.open('a'), 'BAD_INPUT', /open\("a"\) must give a Blob or null/);
});

test('malformed JSON is BAD_FILE and names the file', async () => {
  const source = await openSource({ open: async () => new Blob(['{"a": ']) });
  await assertRefuses(() => readJson(source, 'config.json'), 'BAD_FILE', /config\.json must be JSON/);
});

test('a file that is read whole is refused by its size, before it is read', async () => {
  const blob = { size: 2 ** 26 + 1, slice: () => assert.unreachable() } as unknown as Blob;
  const source = await openSource({ open: async () => blob });
  await assertRefuses(() => readJson(source, 'config.json'), 'BAD_FILE', /config\.json must be at most 67108864 bytes, has 67108865/);
});

test.run();
