// `search` over folders: files of every kind that it reads, and an index that is kept.

import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer } from 'longformer-wasm';
import { extract } from '../dist/cli/extract.js';
import { longformer } from './command.ts';
import { pdfOf } from './pdf.ts';

const test = suite<{ root: string }>('search over folders');

const PAGE = `<!doctype html><html><head><title>not this</title><style>p { color: red }</style></head><body>
<nav><a href="/">Home</a></nav><script>let x = '<p>no</p>';</script>
<h1>a &amp; b</h1><p>One <b>paragraph</b>, <a href="https://example.org/?q=1">with a link</a>.</p>
<h2>c d</h2><pre>let x = 1;
  indented();</pre><ul><li>first</li><li>second</li></ul></body></html>`;

const PDF = pdfOf([['A heading', '', 'The first line of a paragraph', 'and its (second) line.', '', 'Another.'], ['x y z on the second page']]);

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'cli-search-'));
  await convertToLongformer(new URL('./fixtures/tiny-bert/', import.meta.url), join(context.root, 'model'), { maxPositions: 100, attentionWindow: 8 });
});

test.after(async ({ root }) => {
  await rm(root, { recursive: true });
});

// ---------------------------------------------------------------------------- texts of files

test('the text of a page has its headings, code and paragraphs, and nothing that readers do not see', async () => {
  const extracted = await extract('page.html', new TextEncoder().encode(PAGE));
  assert.equal(extracted, { text: `# a & b

One paragraph, with a link.

## c d

\`\`\`
let x = 1;
  indented();
\`\`\`

 * first
 * second` });
});

test('the text of a PDF has its paragraphs, and a form feed between pages', async () => {
  const text = 'A heading\n\nThe first line of a paragraph\nand its (second) line.\n\nAnother.\n\f\nx y z on the second page';
  for (const name of ['a.pdf', 'A.PDF', 'any name']) assert.equal(await extract(name, PDF), { text });
});

test('files that are damaged, empty or no text are named with the reason', async () => {
  const reason = async (name: string, bytes: Uint8Array): Promise<string> => {
    const extracted = await extract(name, bytes);
    return 'reason' in extracted ? extracted.reason : '';
  };
  assert.match(await reason('a.pdf', PDF.subarray(0, 100)), /^cannot be read as PDF: /);
  assert.match(await reason('a.pdf', new Uint8Array()), /^cannot be read as PDF: /);
  assert.is(await reason('a.pdf', pdfOf([[]])), 'has no text in its PDF');
  assert.is(await reason('a.html', new TextEncoder().encode('<script>x</script>')), 'has no text in its HTML');
  assert.is(await reason('a.html', Uint8Array.of(0xff, 0xfe)), 'is not UTF-8 text');
  assert.is(await reason('a.md', Uint8Array.of(0x61, 0)), 'is not UTF-8 text');
  assert.is(await reason('a.md', Uint8Array.of(0x20)), 'is empty');
  const deep = await extract('deep.html', new TextEncoder().encode('<div>'.repeat(3000)));
  assert.ok('reason' in deep, 'no page is read for ever');
});

test('where a library is missing the error says what to install', async ({ root }) => {
  if ('bun' in process.versions) return; // which fetches what is missing
  const alone = join(root, 'without libraries');
  await mkdir(join(alone, 'cli'), { recursive: true });
  for (const name of ['cli/extract.js', 'errors.js']) await cp(new URL(`../dist/${name}`, import.meta.url), join(alone, name));
  await writeFile(join(alone, 'package.json'), '{ "type": "module" }');
  const { extract } = await import(pathToFileURL(join(alone, 'cli', 'extract.js')).href) as typeof import('../dist/cli/extract.js');
  const refused = async (name: string, bytes: Uint8Array): Promise<string> =>
    extract(name, bytes).then(() => '', (error: { code: string; message: string }) => `${error.code} ${error.message}`);
  assert.match(await refused('a.pdf', PDF), /^NOT_FOUND unpdf must be installed to read PDF: npm install unpdf$/);
  assert.match(await refused('a.html', new TextEncoder().encode(PAGE)), /^NOT_FOUND html-to-text must .*: npm install html-to-text$/);
  assert.equal(await extract('a.md', new TextEncoder().encode('text')), { text: 'text' });
});

// ---------------------------------------------------------------------------- kept

interface Line { path: string; startLine?: number; startPage?: number; endPage?: number; text: string; summary?: Summary }
interface Summary {
  documents: { path: string; unchanged: boolean }[];
  skipped: { path: string }[];
  index: { documents: number; removed: string[] };
  tokens: number;
}

async function search(cwd: string, ...args: string[]): Promise<{ found: Line[]; summary: Summary; stderr: string }> {
  const { code, stdout, stderr } = await longformer(['search', '--json', '--threads', '1', '--top', '100', ...args], { cwd });
  assert.is(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Line);
  return { found: lines.slice(0, -1), summary: lines.at(-1)!.summary!, stderr };
}

const read = ({ documents }: Summary): string[] => documents.filter(({ unchanged }) => !unchanged).map(({ path }) => path).sort();
const paths = (found: readonly Line[]): string[] => [...new Set(found.map(({ path }) => path))].sort();

test('keeps what it has read, and reads again only what has changed', async ({ root }) => {
  const docs = join(root, 'docs');
  await mkdir(join(docs, 'deep', '.hidden'), { recursive: true });
  await writeFile(join(docs, 'a.md'), 'a b c d e f g h i j k l m');
  await writeFile(join(docs, 'page.html'), PAGE);
  await writeFile(join(docs, 'deep', 'two.pdf'), PDF);
  await writeFile(join(docs, 'deep', '.hidden', 'b.md'), 'x');
  await writeFile(join(docs, 'picture.png'), 'x');
  await writeFile(join(docs, 'binary.txt'), Uint8Array.of(1, 0, 2));
  const first = await search(root, '--model', 'model', '--max-tokens', '16', '--index', 'kept', 'x y z', 'docs');
  assert.equal(read(first.summary), ['docs/a.md', 'docs/deep/two.pdf', 'docs/page.html']);
  assert.match(first.stderr, /docs: 1 hidden, 1 of other kinds left out/);
  assert.match(first.stderr, /docs\/binary\.txt is not UTF-8 text: left out/);
  assert.equal(paths(first.found), ['docs/a.md', 'docs/deep/two.pdf', 'docs/page.html']);
  const pages = first.found.filter(({ path }) => path.endsWith('pdf')).map(({ startLine, startPage, endPage, text }) => {
    const [first, last] = [/heading|line|Another/, /x y z/].map((part) => part.test(text));
    return { startLine, isRight: startPage === (first ? 1 : 2) && endPage === (last ? 2 : 1) };
  });
  assert.ok(pages.length > 1 && pages.every(({ startLine, isRight }) => isRight && startLine === undefined), JSON.stringify(first.found));

  const again = await search(root, '--index', 'kept', 'x y z', 'docs');
  assert.equal(read(again.summary), []);
  assert.is(again.summary.tokens, 0);
  assert.equal(again.found, first.found);
  assert.equal((await search(root, '--index', 'kept', 'x y z')).found, first.found, 'without files');
  assert.equal(paths((await search(docs, '--index', '../kept', 'x y z')).found), ['a.md', 'deep/two.pdf', 'page.html'], 'from elsewhere');

  await writeFile(join(docs, 'a.md'), 'n o p q r s t u v');
  await writeFile(join(docs, 'new.txt'), 'w x y');
  await writeFile(join(docs, 'page.html'), '');
  await rm(join(docs, 'deep'), { recursive: true });
  const changed = await search(root, '--index', 'kept', 'x y z', 'docs');
  assert.equal(read(changed.summary), ['docs/a.md', 'docs/new.txt']);
  assert.equal(changed.summary.index.removed.sort(), ['docs/deep/two.pdf', 'docs/page.html']);
  assert.equal(paths(changed.found), ['docs/a.md', 'docs/new.txt']);
  assert.ok(changed.found.every(({ text }) => text !== 'a b c d e f g h i j k l m'));

  const moved = join(root, 'moved');
  await mkdir(moved);
  for (const name of ['docs', 'kept']) await rename(join(root, name), join(moved, name));
  const after = await search(moved, '--model', '../model', '--index', 'kept', 'x y z', 'docs');
  assert.equal([read(after.summary), after.summary.index.removed, after.found], [[], [], changed.found]);
  assert.equal((await readdir(moved)).sort(), ['docs', 'kept'], 'nothing else lies about');
});

test('refuses an index that is none, options that it was not made with, and standard input', async ({ root }) => {
  await writeFile(join(root, 'text.md'), 'a b c');
  await writeFile(join(root, 'no index'), 'a b c');
  const fails = async (code: number, message: RegExp, ...args: string[]): Promise<void> => {
    const ended = await longformer(['search', '--threads', '1', ...args], { cwd: root });
    assert.is(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
  };
  await fails(1, /no index/, '--index', 'no index', 'a', 'text.md');
  await fails(2, /--model/, '--index', 'new', 'a', 'text.md');
  await fails(2, /standard input/, '--index', 'new', 'a', '-');
  await search(root, '--model', 'model', '--index', 'made', 'a', 'text.md');
  await fails(1, /passages\.by must be what the index was made with/, '--index', 'made', '--passages', 'sentence', 'a');
});

test.run();
