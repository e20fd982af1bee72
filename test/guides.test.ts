// Every program of the readme, the guides and the doc comments, run as a reader would run it, beside tiny models of
// the names that they use. What a line says that it logs, `console.log(...); // => ...`, is what it must log; of the
// model of the demo, and on the command line, where its weights were fetched.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as everything from 'longformer-wasm';
import ts from 'typescript';
import { weightsInPlace } from '../scripts/weights.mjs';
import { program } from './command.ts';
import { programFile } from './program.ts';
import { tinyPipeline } from './tiny-pipelines.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { DEMO_MODEL } = await import(`${root}scripts/demo-model.mjs`);
const weights = weightsInPlace();
if (weights === null) console.log('all-MiniLM-L6-v2 is not there: a tiny model stands for the one of the demo, and what that gives is not compared');

/** Tokenizers and heads of the fixtures, by the names of models in the programs. */
const MODELS = {
  reader: ['word-piece', 'question-answering'], tagger: ['word-piece', 'tagger'], classifier: ['word-piece', 'classifier'],
  filler: ['word-piece', 'masked-lm'], chooser: ['byte-level', 'choices'],
} as const;

const test = suite<{ folder: string }>('programs');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'guides-'));
  const models = join(context.folder, 'models');
  await cp(join(root, 'test/fixtures/tiny-bert'), join(models, 'bert'), { recursive: true });
  await cp(join(root, 'test/fixtures/char-lm'), join(models, 'characters'), { recursive: true });
  await everything.convertToLongformer(join(models, 'bert'), join(models, 'embedder'), { maxPositions: 8192, attentionWindow: 32 });
  const demo = join(context.folder, '.cache', 'models', DEMO_MODEL);
  if (weights === null) await cp(join(models, 'embedder'), demo, { recursive: true });
  else await everything.convertToLongformer(weights, demo, { maxPositions: 8192, attentionWindow: 128 });
  await symlink(demo, join(context.folder, 'minilm-long'));
  for (const [name, [tokenizer, head]] of Object.entries(MODELS)) {
    await mkdir(join(models, name));
    const source = await tinyPipeline(tokenizer, head);
    for (const file of ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'encoder.safetensors', `${head}.safetensors`]) {
      await writeFile(join(models, name, file), new Uint8Array(await (await source.open(file))!.arrayBuffer()));
    }
  }
  await cp(join(root, 'LICENSE'), join(context.folder, 'LICENSE'));
  await writeFile(join(context.folder, 'contract.txt'), 'Bob pays the rent. Ann pays for repairs.\n\n'.repeat(60));
});

test.after(({ folder }) => rm(folder, { recursive: true }));

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const filesOf = async (folder: string, end: string): Promise<string[]> =>
  (await readdir(join(root, folder), { recursive: true })).filter((name) => name.endsWith(end)).map((name) => `${folder}/${name}`).sort();
const docComments = (code: string): string => [...code.matchAll(/^ *\/\*\*\n(.*?)^ *\*\//gms)].map(([, lines]) => lines!.replace(/^ *\* ?/gm, '')).join('\n');

const pages = new Map<string, string>();
for (const page of ['README.md', ...await filesOf('docs/guides', '.md')]) pages.set(page, await read(page));
for (const file of await filesOf('ts', '.ts')) pages.set(file, docComments(await read(file)));

for (const [page, text] of pages) {
  for (const [i, [, code]] of [...text.matchAll(/^```js\n(.*?)^```/gms)].entries()) {
    test(`${page}, program ${i + 1}`, async ({ folder }) => {
      const compare = weights !== null || !code!.includes(DEMO_MODEL);
      const asserting = code!.replace(/console\.log\((.*)\); *\/\/ => (.*)$/gm, compare ? 'assert.equal([$1], [$2]);' : '[$1];');
      assert.not.match(asserting, /\/\/ =>/, 'nothing is logged there');
      // Node 20 knows no `await using`.
      const { outputText } = ts.transpileModule(`import * as assert from 'uvu/assert';\n${asserting}`, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } });
      const { stderr } = await promisify(execFile)(process.execPath, [programFile(outputText)], { cwd: folder, timeout: 60_000 });
      assert.is(stderr, '');
    });
  }
}

for (const [page, text] of pages) {
  for (const [, command, said] of text.matchAll(/^\$ longformer-wasm (.*-m(?:odle)? minilm-long.*)\n((?:(?!\$ |```).*\n)*)/gm)) {
    (weights === null ? test.skip : test)(`${page}: ${command}`, async ({ folder }) => {
      const args = [...command!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
      // On a terminal, without colours; one that ends with an error has said what is shown, too.
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'data:text/javascript,process.stdout.isTTY=true', program, ...args],
        { cwd: folder, timeout: 60_000, env: { ...process.env, NO_COLOR: '1' } }).catch((failed: { stdout: string; stderr: string }) => failed);
      const lines = (all: string): string => all.replace(/^node \d.*\n/gm, '').trim(); // which runtime it was
      assert.is(lines(stdout + stderr), lines(said!));
    });
  }
}

test('links of the readme and the guides lead to files, and to headings that are there', () => {
  const anchorsOf = (text: string): string[] => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));
  for (const [page, text] of pages) {
    if (!page.endsWith('.md')) continue;
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path, anchor] = target!.split('#') as [string, string?];
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), `${page}: ${target}`);
      if (anchor !== undefined) assert.ok(anchorsOf(pages.get(file)!).includes(anchor), `${page}: ${target}`);
    }
  }
});

test('every guide is a page of the reference, and named in the readme', async () => {
  const { projectDocuments } = JSON.parse(await read('docs/typedoc.json')) as { projectDocuments: string[] };
  const guides = await filesOf('docs/guides', '.md');
  assert.equal(projectDocuments.map((name) => `docs/${name}`).sort(), guides);
  for (const guide of guides) assert.ok(pages.get('README.md')!.includes(`](${guide})`), guide);
});

test('everything that is exported has an example', async () => {
  const code = (await Promise.all((await filesOf('ts', '.ts')).map(read))).join('\n');
  const withExample = (name: string): boolean =>
    [...code.matchAll(new RegExp(`/\\*\\*\\n((?: \\*.*\\n)+)export (?:async function|function|class) ${name}\\b`, 'g'))].some(([, lines]) => /^ \* @example.*\n \* ```js$/m.test(lines!));
  assert.equal(Object.keys(everything).filter((name) => !withExample(name)), []);
});

test.run();
