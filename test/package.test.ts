// What is published, and that it is what was decided: see DESIGN.md for each dependency's reason.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');
const description = JSON.parse(read('package.json'));

const VARIANTS = ['threads-relaxed', 'threads-simd128', 'single-relaxed', 'single-simd128'];
const wasm = (variant: string): Uint8Array => new Uint8Array(readFileSync(`${root}pkg/${variant}/longformer_bg.wasm`));

const test = suite('package');

test('depends on what was decided', () => {
  assert.equal(description.dependencies ?? {}, {});
  assert.equal(Object.keys(description.devDependencies), [
    '@types/html-to-text', '@types/node', 'binaryen', 'esbuild', 'html-to-text', 'ts-node', 'typescript', 'unpdf', 'uvu',
  ]);
  // What only some users need, and nobody who does not install it.
  assert.equal(Object.keys(description.peerDependencies), ['html-to-text', 'unpdf']);
  for (const name of Object.keys(description.peerDependencies)) assert.is(description.peerDependenciesMeta[name].optional, true, name);
});

test('is worked on by npm scripts', () => {
  assert.equal(Object.keys(description.scripts), ['build', 'test', 'test:runtimes', 'test:consumers', 'lint', 'format', 'demo', 'page', 'test:page', 'bench', 'bench:page', 'docs']);
  for (const [, script] of Object.values(description.scripts as Record<string, string>).join(' ').matchAll(/(\S+\.(?:mjs|ts))\b/g)) {
    assert.ok(existsSync(root + script), script);
  }
});

test('pins every version exactly, of crates too', () => {
  const ofFolder = (folder: string): object => JSON.parse(read(`${folder}/package.json`)).dependencies ?? {};
  const peers = Object.assign({}, ...['bench', 'consumers', 'docs', 'examples/web'].map(ofFolder)) as Record<string, string>;
  for (const [name, version] of Object.entries({ ...description.dependencies, ...description.devDependencies, ...peers })) {
    assert.match(version as string, /^\d+\.\d+\.\d+$/, name);
  }
  const dependencies = [...read('crate/Cargo.toml').matchAll(/^([\w-]+) = (?:\{ version = )?"(\W*)\d/gm)];
  const crates = dependencies.filter(([, name]) => !['version', 'edition'].includes(name!));
  assert.equal(crates.map(([, name]) => name), ['rayon', 'wasm-bindgen', 'js-sys', 'wasm-bindgen-test']);
  assert.ok(crates.every(([, , requirement]) => requirement === '='));
});

test('names no registry in package-lock.json', () => {
  for (const path of ['package-lock.json', 'bench/package-lock.json', 'consumers/package-lock.json', 'docs/package-lock.json', 'examples/web/package-lock.json']) assert.not.match(read(path), /"resolved"/, path);
});

test('exports files that exist, types first', () => {
  for (const [name, target] of Object.entries(description.exports)) {
    const paths = typeof target === 'string' ? { default: target } : (target as Record<string, string>);
    if (typeof target !== 'string') assert.is(Object.keys(paths)[0], 'types', name);
    for (const path of Object.values(paths)) assert.ok(existsSync(root + path.replace('*', 'single-simd128/longformer_bg.wasm')), path);
  }
});

test('packs the four builds and the compiled TypeScript, nothing else', async () => {
  const npm = promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  const [{ files }] = JSON.parse((await npm).stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const variant of VARIANTS) assert.ok(paths.includes(`pkg/${variant}/longformer_bg.wasm`), variant);
  assert.ok(paths.includes('dist/index.js'));
  const allowed = [/^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/, /^dist\/.+\.(js|d\.ts)$/];
  const folders = paths.filter((path) => !allowed.some((pattern) => pattern.test(path))).map(dirname);
  assert.equal(new Set(folders), new Set([...VARIANTS, 'glue'].map((folder) => `pkg/${folder}`)));
});

test('imports no module of Node\'s where browsers go', () => {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, from, alone, dynamic] of read(path).matchAll(/^(?:import|export)\b[^;]*?\bfrom ["']([^"']+)|^import ["']([^"']+)|\bimport\(["']([^"']+)/gm)) {
      const name = (from ?? alone ?? dynamic)!;
      assert.match(name, /^\.\.?\//, `${path} imports ${name}`);
      visit(fileURLToPath(new URL(name, `file:///${path}`)).slice(1));
    }
  };
  for (const path of ['dist/index.js', 'dist/engine/worker.js']) visit(path);
  for (const path of ['dist/files/directory.js', 'dist/engine/host.js', 'dist/search/services.js', 'pkg/glue/threads.js']) assert.ok(seen.has(path), path);
  for (const path of seen) assert.not.match(read(path), /\brequire\(|\beval\(|\bnew Function\(/, path);
});

test('has one glue for both kinds of vector instructions', () => {
  for (const memory of ['threads', 'single']) {
    assert.is(read(`pkg/${memory}-relaxed/longformer.js`), read(`pkg/${memory}-simd128/longformer.js`), memory);
  }
});

test('holds no path of the machine it was built on', () => {
  for (const variant of VARIANTS) {
    const text = Buffer.from(wasm(variant)).toString('latin1');
    assert.not.match(text, /\/\.(cargo|rustup|cache)\//, variant);
    assert.not.ok(text.includes(`${dirname(root)}/`), variant);
  }
});

test('takes its memory from outside, shared in the threads builds alone', async () => {
  for (const variant of VARIANTS.filter((name) => name.endsWith('simd128'))) {
    const imports = WebAssembly.Module.imports(await WebAssembly.compile(wasm(variant).slice()));
    assert.ok(imports.some(({ kind }) => kind === 'memory'), variant);
    // wasm-bindgen reads off the module which memory it would make by itself.
    const memory = /new WebAssembly\.Memory\((.*?)\)/.exec(read(`pkg/${variant}/longformer.js`))![1]!;
    assert.is(memory.includes('shared:true'), variant.startsWith('threads'), variant);
  }
});

test('needs relaxed SIMD in the relaxed builds alone', async () => {
  const { hasRelaxedSimd } = await import(`${root}scripts/variants.mjs`);
  const relaxed: boolean = hasRelaxedSimd();
  for (const variant of VARIANTS) assert.is(WebAssembly.validate(wasm(variant).slice()), relaxed || variant.endsWith('simd128'), variant);
});

test.run();
