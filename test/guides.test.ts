// Every program in docs/guides, run as a reader would run it, beside tiny models of the names that they use.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { convertToLongformer } from 'longformer-wasm';
import ts from 'typescript';
import { programFile } from './program.ts';
import { tinyPipeline } from './tiny-pipelines.ts';

const guides = fileURLToPath(new URL('../docs/guides/', import.meta.url));

/** Heads of the fixtures, by the names of models in the guides. */
const MODELS = { reader: 'question-answering', tagger: 'tagger', classifier: 'classifier' };

const test = suite<{ folder: string }>('guides');

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'guides-'));
  const models = join(context.folder, 'models');
  await cp(fileURLToPath(new URL('fixtures/tiny-bert', import.meta.url)), join(models, 'bert'), { recursive: true });
  await convertToLongformer(join(models, 'bert'), join(models, 'embedder'), { maxPositions: 8192, attentionWindow: 32 });
  for (const [name, head] of Object.entries(MODELS)) {
    await mkdir(join(models, name));
    const source = await tinyPipeline('word-piece', head);
    for (const file of ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'encoder.safetensors', `${head}.safetensors`]) {
      await writeFile(join(models, name, file), new Uint8Array(await (await source.open(file))!.arrayBuffer()));
    }
  }
  await writeFile(join(context.folder, 'contract.txt'), 'Bob pays the rent. Ann pays for repairs.\n\n'.repeat(60));
});

test.after(({ folder }) => rm(folder, { recursive: true }));

for (const guide of (await readdir(guides)).filter((name) => name.endsWith('.md'))) {
  const text = await readFile(join(guides, guide), 'utf8');
  for (const [i, [, program]] of [...text.matchAll(/^```js\n(.*?)^```/gms)].entries()) {
    test(`${guide}, program ${i + 1}`, async ({ folder }) => {
      // Node 20 knows no `await using`.
      const { outputText } = ts.transpileModule(program!, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } });
      const { stderr } = await promisify(execFile)(process.execPath, [programFile(outputText)], { cwd: folder, timeout: 60_000 });
      assert.is(stderr, '');
    });
  }
}

test.run();
