/**
 * `npm run test:consumers`: the package as its users take it. It is packed, installed into an empty
 * folder, and taken from there by each consumer, which runs an engine and a tiny model and compares
 * numbers with the fixture's, with threads and without. Pages run in real Chromium.
 *
 *     npm run test:consumers -- vite webpack        these alone
 *
 * Then publint and attw look at the tarball.
 */

import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { browsers, findBrowser, openBrowser } from './browsers.mjs';
import { markdown } from './markdown.mjs';
import { installConsumers } from './packages.mjs';
import { fetchRuntime, runtimes } from './runtimes.mjs';
import { Failure, attempt, cache, main, root, run, step } from './step.mjs';
import { counts } from './ts-tests.mjs';

const CONSUMERS = join(root, 'consumers');
const work = join(cache, 'consumers');
const app = join(work, 'app');
const TARBALL = join(work, 'longformer-wasm.tgz');

/** How far a number may be from PyTorch's. */
const TOLERANCE = 1e-4;

const SECONDS_TO_RUN = 120;

const isolation = {
  'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-resource-policy': 'same-origin',
};

/** A tool of consumers/, whose packages are not the root's. */
const tool = (name) => import(pathToFileURL(createRequire(join(CONSUMERS, 'package.json')).resolve(name)).href);

// ---------------------------------------------------------------------------- the empty folder

async function prepare() {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const packed = JSON.parse((await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work])).replace(/^[^[]*/, ''));
  cpSync(join(work, packed[0].filename), TARBALL);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', TARBALL], { cwd: app, seconds: 120 });
  for (const file of ['check.js', 'page.js', 'process.js', 'process.cjs', 'report.js']) cpSync(join(CONSUMERS, file), join(app, file));
  writeFileSync(join(app, 'options.js'), 'export const options = {};\n');
  for (const folder of [app, join(app, 'public')]) {
    cpSync(join(root, 'test', 'fixtures', 'tiny-longformer'), join(folder, 'model'), { recursive: true });
    writeFileSync(join(folder, 'given.json'), JSON.stringify(await given()));
  }
}

/** The first case of the fixture, and what PyTorch made of it. */
async function given() {
  const { openSource } = await import('../dist/files/open.js');
  const { openSafetensors } = await import('../dist/files/safetensors.js');
  const folder = new URL('../test/fixtures/tiny-longformer/', import.meta.url);
  const { cases: [{ key, inputIds, globalTokens, rows }] } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));
  const arrays = await openSafetensors(await (await openSource(folder)).open('cases.safetensors'));
  const expected = new Float32Array((await arrays.read(`${key}.lastHiddenState`)).buffer);
  await arrays.close();
  return { sequence: { inputIds, globalTokens }, positions: rows, expected: Array.from(expected) };
}

// ---------------------------------------------------------------------------- processes

/** The last two lines of what a process says: with two threads, with one. */
async function inProcess(program, args) {
  const { code, output, stdout } = await attempt(program, args, { cwd: app, seconds: SECONDS_TO_RUN });
  const results = [...stdout.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line));
  return code === 0 && results.length === 2 ? results : Array(2).fill({ error: output.trim().split('\n').slice(-3).join(' ') || `ended with ${code}` });
}

const inRuntime = (name, change = () => {}) => async () => {
  change();
  const { program, args } = await fetchRuntime(runtimes.find((runtime) => runtime.name === name));
  return inProcess(program, [...args, 'process.js']);
};

// ---------------------------------------------------------------------------- pages

const TYPES = { '.js': 'text/javascript', '.html': 'text/html', '.json': 'application/json', '.wasm': 'application/wasm' };

const html = (head, script) => `<!doctype html>\n<meta charset="utf-8">\n<link rel="icon" href="data:,">\n${head}<body></body>\n<script type="module" src="${script}"></script>\n`;

/** Serves files of `folders`, of the first that has one. */
function serve(folders, headers) {
  return listening(createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname.replace(/\/$/, '/index.html'));
    const file = folders.map((folder) => join(folder, path)).find((each) => existsSync(each));
    if (!file) return void response.writeHead(404, headers).end();
    response.writeHead(200, { ...headers, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  }));
}

async function listening(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://localhost:${server.address().port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Opens `origin` in Chromium; the page says its result to a server of ours. */
async function inChromium(origin) {
  const [chromium] = browsers;
  const { program } = await findBrowser(chromium);
  let tell;
  const told = new Promise((resolve) => { tell = resolve; });
  const listener = await listening(createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end();
    tell(JSON.parse(body));
  }));
  const window = openBrowser(chromium, program, `${origin}/?report=${encodeURIComponent(listener.origin)}`);
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, SECONDS_TO_RUN * 1000, { error: `said nothing in ${SECONDS_TO_RUN} s` }); });
  const result = await Promise.race([told, late]);
  clearTimeout(timer);
  await window.stop();
  listener.close();
  return result;
}

/** The page that `build` makes, with the headers for shared memory and without. */
const inPage = (build) => async () => {
  const folders = await build();
  const results = [];
  for (const headers of [isolation, {}]) {
    const server = await serve(folders, headers);
    results.push(await inChromium(server.origin));
    server.close();
  }
  return results;
};

/** Runs a bundler's program. That it cannot build is no reason to skip it. */
async function built(program, args, options) {
  const { code, output } = await attempt(program, args, { ...options, seconds: SECONDS_TO_RUN });
  if (code !== 0) throw new Error(`${output.trim().split('\n').slice(-40).join('\n')}\nended with ${code}`);
}

function folderFor(name) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** No bundler: an import map says where the package lies. */
async function plain() {
  const imports = { 'longformer-wasm': '/node_modules/longformer-wasm/dist/index.js' };
  const folder = folderFor('plain');
  writeFileSync(join(folder, 'index.html'), html(`<script type="importmap">${JSON.stringify({ imports })}</script>\n`, '/page.js'));
  return [folder, app];
}

async function esbuild() {
  const out = folderFor('esbuild');
  writeFileSync(join(app, 'options.js'), "export const options = { workerUrl: new URL('./worker.js', import.meta.url), wasm: new URL('./pkg', import.meta.url) };\n");
  const { build } = await tool('esbuild');
  await build({
    absWorkingDir: app, entryPoints: { page: 'page.js', worker: 'longformer-wasm/worker' }, outdir: out,
    bundle: true, splitting: true, format: 'esm', minify: true, logLevel: 'silent',
  });
  cpSync(join(app, 'node_modules', 'longformer-wasm', 'pkg'), join(out, 'pkg'), { recursive: true });
  writeFileSync(join(app, 'options.js'), 'export const options = {};\n');
  writeFileSync(join(out, 'index.html'), html('', '/page.js'));
  return [out, join(app, 'public')];
}

async function webpack() {
  const out = folderFor('webpack');
  const { default: pack } = await tool('webpack');
  const compiler = pack({
    context: app, entry: './page.js', mode: 'production', output: { path: out, filename: 'page.js' },
    module: { rules: [] }, performance: { hints: false },
  });
  const stats = await new Promise((resolve, reject) => { compiler.run((error, value) => (error ? reject(error) : resolve(value))); });
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ all: false, errors: true, warnings: true }));
  writeFileSync(join(out, 'index.html'), html('', '/page.js'));
  return [out, join(app, 'public')];
}

const viteConfig = () => ({
  root: app, configFile: false, logLevel: 'silent', worker: { format: 'es' }, optimizeDeps: { exclude: ['longformer-wasm'] },
});

async function viteBuild() {
  const out = folderFor('vite');
  writeFileSync(join(app, 'index.html'), html('', '/page.js'));
  const { build } = await tool('vite');
  await build({ ...viteConfig(), build: { outDir: out, emptyOutDir: true } });
  return [out];
}

async function viteDev() {
  writeFileSync(join(app, 'index.html'), html('', '/page.js'));
  const { createServer: createVite } = await tool('vite');
  const results = [];
  for (const headers of [isolation, {}]) {
    const server = await createVite({ ...viteConfig(), cacheDir: folderFor('vite-cache'), server: { host: '127.0.0.1', port: 0, headers } });
    await server.listen();
    results.push(await inChromium(`http://127.0.0.1:${server.httpServer.address().port}`));
    await server.close();
  }
  return results;
}

/** `bundler`: Next has two. Each builds an app of its own, as Next takes over the folder that it is in. */
const next = (bundler) => async () => {
  const modules = join(CONSUMERS, 'node_modules');
  if (!readdirSync(join(modules, '@next')).some((name) => name.startsWith('swc-'))) throw new Failure('Next has no compiler for this machine');
  const folder = folderFor(`next-${bundler}`);
  cpSync(join(CONSUMERS, 'next'), folder, { recursive: true });
  for (const name of ['check.js', 'options.js', 'report.js', 'package.json', 'public', 'node_modules']) cpSync(join(app, name), join(folder, name), { recursive: true });
  for (const name of ['next', 'react', 'react-dom']) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  await built(process.execPath, ['node_modules/next/dist/bin/next', 'build', `--${bundler}`], { cwd: folder, env: { NEXT_TELEMETRY_DISABLED: '1' } });
  const [, json] = /<pre>(.*?)<\/pre>/.exec(readFileSync(join(folder, 'out', 'server.html'), 'utf8'));
  const wrong = verdict(JSON.parse(json.replaceAll('&quot;', '"')), 2);
  if (wrong) throw new Error(`on Next's server: ${wrong}`);
  return [join(folder, 'out')];
};

// ---------------------------------------------------------------------------- the tarball

async function judged(name, args) {
  const manifest = JSON.parse(readFileSync(join(CONSUMERS, 'node_modules', name, 'package.json'), 'utf8'));
  const [bin] = Object.values(manifest.bin);
  const { code, output } = await attempt(process.execPath, [join(CONSUMERS, 'node_modules', name, bin), ...args], { seconds: SECONDS_TO_RUN });
  const complaint = code !== 0 || /warning|suggestion/i.test(output) ? output.trim() : undefined;
  return { name, version: manifest.version, complaint };
}

// ---------------------------------------------------------------------------- the command

const versionOf = (name) => JSON.parse(readFileSync(join(CONSUMERS, 'package.json'), 'utf8')).dependencies[name];
const runtimeVersion = (name) => runtimes.find((runtime) => runtime.name === name).version;

const consumers = [
  { name: 'node', what: `Node ${process.versions.node}, ESM`, take: () => inProcess(process.execPath, ['process.js']) },
  { name: 'node-cjs', what: `Node ${process.versions.node}, CommonJS`, take: () => inProcess(process.execPath, ['process.cjs']) },
  { name: 'deno', what: `Deno ${runtimeVersion('deno')}, npm:`, take: inRuntime('deno', () => writeFileSync(join(app, 'deno.json'), '{ "imports": { "longformer-wasm": "npm:longformer-wasm" } }')) },
  { name: 'bun', what: `Bun ${runtimeVersion('bun')}`, take: inRuntime('bun') },
  { name: 'plain', what: '`<script type="module">`', take: inPage(plain) },
  { name: 'esbuild', what: `esbuild ${versionOf('esbuild')}`, take: inPage(esbuild) },
  { name: 'vite-build', what: `Vite ${versionOf('vite')}, build`, take: inPage(viteBuild) },
  { name: 'vite-dev', what: `Vite ${versionOf('vite')}, dev`, take: viteDev },
  { name: 'webpack', what: `webpack ${versionOf('webpack')}`, take: inPage(webpack) },
  { name: 'next-turbopack', what: `Next ${versionOf('next')}, Turbopack`, take: inPage(next('turbopack')) },
  { name: 'next-webpack', what: `Next ${versionOf('next')}, webpack`, take: inPage(next('webpack')) },
];

/** What was to run with threads, or without, and how it went. */
function verdict(result, threads) {
  if (result.error) return result.error;
  if (!(result.difference <= TOLERANCE)) return `off by ${result.difference}`;
  return result.threads === threads ? undefined : `${result.threads} threads instead of ${threads}`;
}

await main(async () => {
  const wanted = process.argv.slice(2);
  if ((await attempt(process.execPath, ['scripts/build.mjs'], { show: true })).code !== 0) throw new Failure('nothing was tested: the build failed');
  await installConsumers();
  await step('npm pack, npm install', prepare);

  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  for (const { name, what, take } of consumers.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name === word || name.startsWith(`${word}-`)))) {
    try {
      const results = await step(name, take);
      const cells = results.map((result, i) => {
        const wrong = verdict(result, i === 0 ? 2 : 1);
        total[wrong ? 'failed' : 'passed'] += 1;
        if (wrong) console.error(`${name}: ${wrong}`);
        return wrong ? 'failed' : `${result.build}, ${result.difference.toExponential(0)}`;
      });
      lines.push([what, ...cells]);
    } catch (error) {
      if (error instanceof Failure) total.skipped += 2;
      else total.failed += 2;
      console.error(`${name}: ${error.message}`);
      lines.push([what, error instanceof Failure ? 'skipped' : 'failed', '']);
    }
  }
  if (wanted.length === 0) {
    for (const { name, version, complaint } of [
      await judged('publint', [TARBALL, '--strict']),
      await judged('@arethetypeswrong/cli', [TARBALL, '--profile', 'esm-only', '--no-color']),
    ]) {
      total[complaint ? 'failed' : 'passed'] += 1;
      console.log(`${name} ${version}: ${complaint ?? 'nothing to complain of'}`);
    }
  }
  if (total.failed > 0) process.exitCode = 1;
  console.log(`\n${markdown([['taken by', 'with threads: build, off by', 'without'], ...lines])}\n\n${counts(total)}`);
});
