// How the page is built: the package by its name, one file beside the page as its service worker.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { models } from './models.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The page has its policy in a meta element, where every host sends it. Workers have theirs from a header alone. */
const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(readFileSync(here('index.html'), 'utf8'))[1];

/** What threads need: only isolated pages have shared memory. A plain host, which tests stand for with the mode of that name, sends none. */
const headersFor = (mode) => mode === 'plain-host' ? {} : {
  ...(mode === 'development' ? {} : { 'Content-Security-Policy': policy }), // Vite's own scripts do not live under it
  'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin',
};

export default defineConfig(({ mode }) => ({
  root: here('.'),
  base: './', // in any folder of any host
  // In a clone the package is the clone itself. With `npm install longformer-wasm` this line goes.
  resolve: { alias: [{ find: /^longformer-wasm$/, replacement: here('../../dist/index.js') }] },
  worker: { format: 'es' }, // the engine's workers are modules
  optimizeDeps: { exclude: ['longformer-wasm'] }, // they are found beside its files
  plugins: [filesForOffline(), models(process.env.PAGE_MODELS ?? here('../../.cache/models'))],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the page's policy has no data: addresses
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here('index.html'), 'service-worker': here('src/service-worker.ts') },
      output: { entryFileNames: ({ name }) => name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js' },
    },
  },
  server: { headers: headersFor('development'), fs: { allow: [here('../..')] } },
  preview: { headers: headersFor(mode) },
}));

/** Tells the service worker which files the page consists of, so that they are kept from the first visit on, and the page's policy. */
function filesForOffline() {
  return {
    name: 'files-for-offline',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = Object.keys(bundle).filter((file) => !/^(service-worker\.js|.*\.map)$/.test(file));
      const worker = bundle['service-worker.js'];
      worker.code = worker.code.replace('__FILES__', JSON.stringify(['./', ...files.filter((file) => file !== 'index.html')]))
        .replace('__POLICY__', JSON.stringify(policy));
    },
  };
}
