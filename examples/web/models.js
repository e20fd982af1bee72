// A Vite plugin that serves checkpoints from a folder of this machine: `models.json` lists them, their
// files lie below `models/`. On a host of your own these are just files; the page asks for nothing else.

import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize, sep } from 'node:path';

export function models(folder) {
  const serve = ({ middlewares }) => {
    middlewares.use('/models.json', (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(longformersIn(folder)));
    });
    middlewares.use('/models/', (request, response, next) => {
      const path = join(folder, normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname)));
      if (!path.startsWith(folder + sep) || !existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-length': statSync(path).size, 'content-type': 'application/octet-stream' });
      if (request.method === 'HEAD') return void response.end();
      createReadStream(path).on('error', next).pipe(response);
    });
  };
  return { name: 'models', configureServer: serve, configurePreviewServer: serve };
}

/** Folders with a config.json that says it is a Longformer. The shorter windows first: they read faster. */
function longformersIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'config.json')))
    .filter((name) => JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')).model_type === 'longformer')
    .sort((a, b) => Number(b.includes('window-128')) - Number(a.includes('window-128')));
}
