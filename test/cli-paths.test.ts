import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expandPaths } from '../dist/cli/paths.js';
import { runProgram } from './program.ts';

const test = suite<{ root: string; expand(...args: string[]): Promise<string[]> }>('paths');

const FILES = [
  'a.md', 'b.TXT', 'c.js', '.hidden.md', '[odd].md', 'sub/d.rst', 'sub/e.md', 'sub/deep/f.md', '.git/g.md', 'node_modules/m/h.md',
];

test.before(async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'paths-'));
  context.root = root;
  for (const file of FILES) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), 'text');
  }
  await mkdir(join(root, 'empty'));
  await symlink(join(root, 'a.md'), join(root, 'sub', 'link.md'));
  await symlink(root, join(root, 'sub', 'loop'));
  await symlink(join(root, 'nowhere'), join(root, 'sub', 'broken.md'));
  context.expand = async (...args) =>
    (await expandPaths(args.map((arg) => `${root}/${arg}`))).map((path) => path.slice(root.length + 1));
});

test.after(async ({ root }) => rm(root, { recursive: true }));

test('a file stands for itself, whatever its name', async ({ expand }) => {
  assert.equal(await expand('c.js', '.hidden.md', '[odd].md', 'node_modules/m/h.md'), ['c.js', '.hidden.md', '[odd].md', 'node_modules/m/h.md']);
  assert.equal(await expandPaths(['-']), ['-']);
});

test('a directory stands for the texts in and below it', async ({ expand }) => {
  const below = ['sub/e.md', 'sub/link.md', 'sub/deep/f.md'];
  assert.equal(await expand(''), ['[odd].md', 'a.md', 'b.TXT', 'sub/d.rst', ...below]);
  assert.equal(await expand('sub/'), ['sub/d.rst', ...below]);
});

test('a pattern stands for what it matches', async ({ expand }) => {
  const cases: [string, string[]][] = [
    ['*.md', ['[odd].md', 'a.md']],
    ['?.*', ['a.md', 'b.TXT', 'c.js']],
    ['**/*.md', ['[odd].md', 'a.md', 'node_modules/m/h.md', 'sub/e.md', 'sub/link.md', 'sub/deep/f.md']],
    ['sub/**', ['sub/d.rst', 'sub/e.md', 'sub/link.md', 'sub/deep/f.md']],
    ['s*b/*/*.md', ['sub/deep/f.md']],
    ['{a,c}.{md,js}', ['a.md', 'c.js']],
    ['[ab].*', ['a.md', 'b.TXT']],
    ['[!ab].*', ['c.js']],
  ];
  for (const [pattern, files] of cases) assert.equal((await expand(pattern)).sort(), [...files].sort(), pattern);
});

test('a comma is one, but between the words of braces', async ({ root }) => {
  const folder = join(root, 'node_modules', 'commas');
  await mkdir(folder);
  for (const file of ['Smith, John.txt', 'Smith', 'Smith, ', ' Jones.txt', 'b, c.txt', 'a}b,d']) await writeFile(join(folder, file), 'text');
  const expand = async (pattern: string) => (await expandPaths([join(folder, pattern)])).map((path) => path.slice(folder.length + 1));
  assert.equal(await expand('Smith, J*.txt'), ['Smith, John.txt']);
  assert.equal(await expand('{Smith,b}, *.txt'), ['Smith, John.txt', 'b, c.txt']);
  assert.equal(await expand('a}*,d'), ['a}b,d']);
});

test('a directory may hold more files than a call takes arguments', async ({ root }) => {
  const folder = join(root, 'many', 'deep');
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < 15_000; i++) writeFileSync(join(folder, `${i}.md`), '');
  const { stdout } = await runProgram(`
    import { expandPaths } from ${JSON.stringify(new URL('../dist/cli/paths.js', import.meta.url).href)};
    console.log((await expandPaths([process.argv[2]])).length);
  `, { flags: ['--stack-size=100'], args: [join(root, 'many')] });
  assert.is(stdout, '15000\n');
});

test('a file is there once', async ({ expand }) => {
  assert.equal(await expand('sub/e.md', 'sub/*.md', 'sub/e.md'), ['sub/e.md', 'sub/link.md']);
});

test('what names nothing is refused', async ({ expand }) => {
  for (const [arg, pattern] of [['x.md', /x\.md/], ['*.pdf', /\*\.pdf/], ['nowhere/*.md', /nowhere/], ['empty', /text file/], ['{a', /\{a/]] as const) {
    let message = '';
    await expand(arg).catch((error: Error) => { message = error.message; });
    assert.match(message, pattern);
  }
});

test.run();
