/**
 * Serves the clone to a browser, a test file to a page, so that the files which run elsewhere run
 * there as they are: TypeScript loses its types on the way, an import map says where packages lie.
 *
 * A page tells what it printed, then waits for the next one: the browser needs no driver.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { root } from './step.mjs';

const TYPES = {
  '.js': 'text/javascript', '.mjs': 'text/javascript', '.ts': 'text/javascript', '.json': 'application/json',
  '.wasm': 'application/wasm', '.txt': 'text/plain', '.html': 'text/html',
};

const imports = {
  'longformer-wasm': '/dist/index.js',
  uvu: '/node_modules/uvu/dist/index.mjs',
  'uvu/assert': '/node_modules/uvu/assert/index.mjs',
  'uvu/diff': '/node_modules/uvu/diff/index.mjs',
  dequal: '/node_modules/dequal/dist/index.mjs',
  diff: '/node_modules/uvu/node_modules/diff/lib/index.mjs',
  kleur: '/node_modules/kleur/index.mjs',
};

/** For tests alone: the package must do without. */
const files = '/test/page/files.js';
const scopes = { '/test/': { 'node:fs': files, 'node:fs/promises': files, 'node:url': files } };

const importMap = JSON.stringify({ imports, scopes });

/** The strictest policy that the package promises to live with. */
const policy = [
  "default-src 'self'", "style-src 'none'",
  `script-src 'self' 'wasm-unsafe-eval' 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`,
].join('; ');

const page = (file) => `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>${file}</title>
<script type="importmap">${importMap}</script>
<h1>${file}</h1>
<pre>runs ...</pre>
<script type="module" src="/test/page/run.js"></script>
`;

/**
 * Starts a server; `isolated` sends the headers that give pages shared memory. `show(file)` sends the
 * page that waits to a file; its result is the address, for a browser that is yet to be opened.
 * `report()` is what the page then says in the end, `soFar()` what it said until now.
 */
export async function servePages({ isolated }) {
  let wanted; // the address that the next page shall have
  let waiting; // the answer that tells the page that asked for it
  let said; // what it said last
  let tell;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    response.setHeader('cache-control', 'no-store');
    response.setHeader('content-security-policy', policy);
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
      response.setHeader('cross-origin-resource-policy', 'same-origin');
    }
    if (pathname === '/so-far' || pathname === '/report') return void readReport(request, response, pathname === '/report');
    if (pathname === '/next') {
      waiting = response;
      return void sendOn();
    }
    if (pathname === '/page') {
      wanted = undefined;
      return void response.setHeader('content-type', 'text/html').end(page(searchParams.get('file')));
    }
    sendFile(pathname, request.headers.range, response);
  });

  async function readReport(request, response, last) {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    response.end();
    said = JSON.parse(body);
    if (last) tell?.(said);
  }

  function sendOn() {
    if (!wanted || !waiting) return;
    waiting.end(wanted);
    waiting = undefined;
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${server.address().port}`;
  return {
    show(file) {
      said = { code: 'late', output: '' };
      wanted = `${origin}/page?file=/${file}`;
      const address = wanted;
      sendOn();
      return address;
    },
    report: () => new Promise((resolve) => { tell = resolve; }),
    soFar: () => said,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendFile(pathname, range, response) {
  const path = normalize(decodeURIComponent(pathname));
  let bytes;
  try {
    bytes = readFileSync(join(root, path));
  } catch {
    return void response.writeHead(404).end();
  }
  response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
  if (extname(path) === '.ts') return void response.end(javascript(path, bytes.toString()));
  response.setHeader('etag', `"${createHash('sha256').update(bytes).digest('hex')}"`); // parts of a file must be known to be of the same
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) return void response.end(bytes);
  if (Number(from) >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  const part = bytes.subarray(Number(from), to === '' ? bytes.length : Number(to) + 1);
  response.writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}` }).end(part);
}

/** A file of TypeScript without its types; a broken one is the compiler's to complain about. */
function javascript(path, text) {
  const ts = createRequire(import.meta.url)('typescript'); // not there when this file is read on a new machine
  const compilerOptions = { target: 'ES2022', module: 'ESNext', verbatimModuleSyntax: true, inlineSourceMap: true };
  return ts.transpileModule(text, { fileName: path, compilerOptions }).outputText;
}
