import fs, { lstat, mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeDirectory, type WriteFile } from '../dist/files/staging.js';
import { assertRefuses } from './rejects.ts';

const test = suite<{ root: string; target: string }>('staging');

test.before.each(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'staging-'));
  context.target = join(context.root, 'target');
});

test.after.each(async ({ root }) => rm(root, { recursive: true }));

const bytes = (text: string): Uint8Array[] => [...text].map((letter) => new TextEncoder().encode(letter));
const fill = (write: WriteFile): Promise<void> => write('a/b.txt', bytes('text'));

/** Runs `work` while the file system refuses `call`, given its arguments, with that code. */
async function whileRefusing(call: 'mkdir' | 'rename', code: string, work: () => Promise<void>, when = (..._: string[]) => true): Promise<void> {
  const real = fs[call] as (...args: any[]) => Promise<any>;
  Object.assign(fs, {
    [call]: async (...args: string[]) => {
      if (when(...args)) throw Object.assign(new Error(`${code}: refused, ${call}`), { code });
      return real(...args);
    },
  });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs, { [call]: real });
    syncBuiltinESMExports();
  }
}

test('files and the folders above them are there at once', async ({ root, target }) => {
  await writeDirectory(target, async (write) => {
    await fill(write);
    await assertRefuses(() => stat(target).catch(() => writeDirectory(root, fill)), 'BAD_INPUT', /holds target\.partial-/);
  });
  assert.is(await readFile(join(target, 'a', 'b.txt'), 'utf8'), 'text');
  assert.equal(await readdir(root), ['target']);
});

test('no name leads out of the target', async ({ root, target }) => {
  for (const name of ['../out.txt', 'a/../../out.txt', join(root, 'out.txt'), '..\\out.txt', 'a\0']) {
    await assertRefuses(() => writeDirectory(target, (write) => write(name, bytes('out'))), 'BAD_FILE', /must stay inside .*target$/);
    assert.equal(await readdir(root), []);
  }
});

test('a name that is written twice names the target', async ({ target }) => {
  await assertRefuses(() => writeDirectory(target, async (write) => {
    await fill(write);
    await fill(write);
  }), 'BAD_INPUT', /target cannot be written: EEXIST/);
});

test('a target that may not be written, or not for long, is named', async ({ root, target }) => {
  await whileRefusing('mkdir', 'EACCES', () => assertRefuses(() => writeDirectory(target, fill), 'BAD_INPUT', /target cannot be written: EACCES/));
  const file = await open(join(root, 'file'), 'w');
  const prototype = Object.getPrototypeOf(file);
  await file.close();
  await rm(join(root, 'file'));
  const { writeFile } = prototype;
  prototype.writeFile = async () => { throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }); };
  try {
    await assertRefuses(() => writeDirectory(target, fill), 'BAD_INPUT', /target cannot be written: ENOSPC/);
  } finally {
    prototype.writeFile = writeFile;
  }
  assert.equal(await readdir(root), []);
});

test('what the bytes throw comes out as it is', async ({ root, target }) => {
  const reason = Object.assign(new Error('enough'), { code: 'ENOSPC' });
  const thrown = await writeDirectory(target, (write) => write('a', (async function* () { throw reason; })())).catch((error) => error);
  assert.is(thrown, reason);
  assert.equal(await readdir(root), []);
});

test('a link is no target, wherever it leads', async ({ root, target }) => {
  await mkdir(join(root, 'empty'));
  for (const to of ['empty', 'nowhere']) {
    await symlink(join(root, to), target);
    await assertRefuses(() => writeDirectory(target, fill), 'BAD_INPUT', /target must be a new or an empty directory, is a link/);
    assert.ok((await lstat(target)).isSymbolicLink());
    await rm(target);
  }
});

test('an empty target stays where the move onto it fails', async ({ root, target }) => {
  await mkdir(target);
  await whileRefusing('rename', 'EIO', () => assertRefuses(() => writeDirectory(target, fill), 'BAD_INPUT', /target cannot be written: EIO/));
  assert.equal(await readdir(root), ['target']);
  assert.equal(await readdir(target), []);
});

test('an empty target is replaced where the system does not move onto it', async ({ target }) => {
  await mkdir(target);
  let calls = 0;
  await whileRefusing('rename', 'EPERM', () => writeDirectory(target, fill), () => calls++ === 0);
  assert.equal(await readdir(target), ['a']);
});

test.run();
