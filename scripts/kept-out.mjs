/** Where a test file runs: everywhere, but for what these rules say. */

import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { root } from './step.mjs';

/** About the clone and the programs that work on it, not about the package: `npm test` runs them. */
const aboutTheClone = ['bench', 'hub-python', 'inner-loop', 'package', 'retrieval-bench', 'scripts'];

/** What test/page/ gives to tests in a page. Whatever else of Node's a test asks for keeps it out. */
const inPages = {
  'node:fs': ['openAsBlob'],
  'node:fs/promises': ['readFile'],
  'node:url': ['fileURLToPath'],
};

/** Why a test file does not run in a runtime other than the Node at hand; undefined where it does. */
export function keptOutOfRuntimes(file) {
  return aboutTheClone.includes(basename(file, '.test.ts')) ? 'is about the clone' : undefined;
}

/** Why it does not run in a page of a browser; undefined where it does. */
export function keptOutOfPages(file) {
  if (basename(file).startsWith('cli')) return 'is about a terminal';
  const lacking = nodeImports(file).find(({ module, name }) => !inPages[module]?.includes(name));
  return keptOutOfRuntimes(file) ?? (lacking && `needs ${lacking.name} of ${lacking.module}`);
}

/** Everything of Node's that a file and the files of test/ behind it import, as `{ module, name }`. */
function nodeImports(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export) ([^;]*?) from '([^']+)';/gm);
  return [...imports].flatMap(([, what, from]) => {
    if (what.startsWith('type ')) return [];
    if (from.startsWith('.') && from.endsWith('.ts')) return nodeImports(relative(root, join(root, dirname(file), from)), seen);
    return from.startsWith('node:') ? namesOf(what).map((name) => ({ module: from, name })) : [];
  });
}

/** `fs, { readFile, type Stats, open as openFile }` names the whole (`default`), readFile and open. */
function namesOf(what) {
  const [, whole, named = ''] = /^([^{]*)(?:\{(.*)\})?$/s.exec(what);
  const names = named.split(',').map((name) => name.trim()).filter((name) => name && !name.startsWith('type '));
  return [...(/\w/.test(whole) ? ['default'] : []), ...names.map((name) => name.split(' ')[0])];
}
