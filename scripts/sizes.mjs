/**
 * What users download, against budget.json (bytes): each build of the crate and the entry as brotli, the
 * package as npm packs it. The entry is what a bundler makes of dist/index.js and all that it imports
 * at once, but for the tokenizer.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { root, run } from './step.mjs';
import { variants } from './variants.mjs';

export async function sizes() {
  const budget = JSON.parse(readFileSync(join(root, 'scripts', 'budget.json'), 'utf8'));
  const [{ size }] = JSON.parse((await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { seconds: 60 })).replace(/^[^[]*/, ''));
  const measured = [
    ...variants.map(({ name }) => ({
      what: `${name} (brotli)`, bytes: brotli(readFileSync(join(root, 'pkg', name, 'longformer_bg.wasm'))), most: budget.wasm,
    })),
    { what: 'entry (bundled, brotli)', bytes: brotli(await entry()), most: budget.entry },
    { what: 'tarball', bytes: size, most: budget.tarball },
  ];
  const total = { passed: 0, failed: 0 };
  for (const { what, bytes, most } of measured) {
    const fits = bytes <= most;
    total[fits ? 'passed' : 'failed'] += 1;
    console.log(`${what.padEnd(44)} ${inKB(bytes)} of ${inKB(most)}${fits ? '' : ': too large'}`);
  }
  return total;
}

const inKB = (bytes) => `${(bytes / 1000).toFixed(1).padStart(8)} kB`;

const brotli = (bytes) => brotliCompressSync(bytes).length;

/** What a page loads before it calls anything, of which nothing is left out as unused. */
async function entry() {
  const tokenizer = { name: 'tokenizer', setup: ({ onResolve }) => onResolve({ filter: /tokenizer\// }, ({ path }) => ({ path, external: true })) };
  const { build } = await import('esbuild'); // not there when this file is read on a new machine
  const { outputFiles, metafile } = await build({
    absWorkingDir: root, entryPoints: ['dist/index.js'], outdir: 'out', bundle: true, splitting: true, format: 'esm', minify: true,
    write: false, metafile: true, plugins: [tokenizer], logLevel: 'silent',
  });
  const texts = new Map(outputFiles.map(({ path, contents }) => [path.slice(root.length), contents]));
  const loaded = new Set();
  const load = (file) => {
    if (loaded.has(file) || !texts.has(file)) return;
    loaded.add(file);
    for (const { path, kind } of metafile.outputs[file].imports) if (kind === 'import-statement') load(path);
  };
  load('out/index.js');
  return Buffer.concat([...loaded].map((file) => texts.get(file)));
}
