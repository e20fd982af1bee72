// A stand-in for the Hugging Face Hub: a proxy that answers for huggingface.co itself and connects to
// nobody else. The browser believes that it talks to the Hub, so the page's policy and all that the
// library does are as they would be.

import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `models`: a folder whose `name` is the Hub's `tests/name`. Its address is one for a browser's proxy. */
export async function startHub(models) {
  const asked = [];
  let refusal = null;
  const hub = createSecureServer(certificate(), (request, response) => {
    const [, name, file] = /^\/tests\/([\w-]+)\/resolve\/main\/(.+)$/.exec(request.url) ?? [];
    const path = join(models, name ?? '', file ?? '');
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'etag, x-error-code');
    if (refusal !== null) return void response.writeHead(refusal).end();
    if (file === undefined || !existsSync(path)) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
      return;
    }
    response.writeHead(200, { etag: `"${name}-${file}"`, 'content-length': statSync(path).size });
    if (request.method === 'HEAD') response.end();
    else createReadStream(path).pipe(response);
  });
  const proxy = createServer((_request, response) => response.writeHead(502).end());
  const sockets = new Set();
  proxy.on('connect', ({ url }, socket) => {
    if (url !== 'huggingface.co:443') return void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    hub.emit('connection', socket);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    port: proxy.address().port,
    /** From now on it answers nothing but this status; null: as before. */
    refuse(status) { refusal = status; },
    async close() {
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** By nobody whom a browser knows: it is told not to ask. Node makes none itself, and one that is kept would end some day. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'longformer-hub-'));
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => join(folder, file));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', '/CN=huggingface.co', '-addext', 'subjectAltName=DNS:huggingface.co', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
