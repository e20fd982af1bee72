/** The page of examples/web, built and served by the Vite that is installed there. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './step.mjs';

const PAGE = join(root, 'examples', 'web');

/** What any static host can serve. */
export const OUT = join(PAGE, 'dist');

/** A package of examples/web. */
export const fromPage = async (name) => import(pathToFileURL(createRequire(join(PAGE, 'package.json')).resolve(name)).href);

export async function buildPage() {
  const { build } = await fromPage('vite');
  await build({ root: PAGE, logLevel: 'warn' });
}

/** Serves what was built; `isolated: false` as a host that sends no headers does. */
export async function servePage({ port = 0, isolated = true } = {}) {
  const { preview } = await fromPage('vite');
  const mode = isolated ? 'production' : 'plain-host';
  const server = await preview({ root: PAGE, mode, logLevel: 'warn', preview: { host: '127.0.0.1', port, strictPort: port !== 0 } });
  return {
    address: `http://localhost:${server.httpServer.address().port}/`,
    port: server.httpServer.address().port,
    async close() {
      server.httpServer.closeAllConnections();
      await server.close();
    },
  };
}
