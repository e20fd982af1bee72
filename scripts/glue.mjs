/**
 * Makes a function of wasm-bindgen's glue, pkg/glue/<memory>.js: each call gives an instance with a
 * state of its own. As a module the glue has one instance for good, which could be neither given
 * back nor replaced after a trap where an engine runs in its caller's thread.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unlessFresh } from './fresh.mjs';
import { Failure, root } from './step.mjs';

const memories = ['single', 'threads'];

/** The glue is the same for both kinds of vector instructions; test/package.test.ts looks. */
const glueOf = (memory) => join('pkg', `${memory}-simd128`, 'longformer.js');

export async function buildGlue() {
  const inputs = ['scripts/glue.mjs', ...memories.map(glueOf)];
  await unlessFresh({ product: 'glue', inputs, settings: {}, output: 'pkg/glue' }, () => {
    const output = join(root, 'pkg', 'glue');
    rmSync(output, { recursive: true, force: true });
    mkdirSync(output);
    for (const memory of memories) {
      writeFileSync(join(output, `${memory}.js`), asFunction(readFileSync(join(root, glueOf(memory)), 'utf8')));
      writeFileSync(join(output, `${memory}.d.ts`), types);
    }
  });
}

/** The single-thread builds lack the pool; by one type for all, whoever calls says which it has. */
const types = `type Glue = typeof import('../threads-simd128/longformer.js');
export type Wasm = Omit<Glue, 'default' | 'initSync'>;
export declare function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Wasm;
`;

/** The text of a module as that of one whose `instantiate` runs it. Exported for its test. */
export function asFunction(glue) {
  const names = [...glue.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  const body = glue
    .replace(/^\/\* @ts-self-types.*\n/, '')
    .replace(/^export (class|function|const) /gm, '$1 ')
    // What would fetch the module by itself.
    .replace(/^let __wbg_init_promise;[^]*/m, '')
    .replace(/^async function __wbg_load\([^]*?^}\n/m, '');
  if (names.length === 0 || /^export|\bimport\b|__wbg_init\b|__wbg_load\b/m.test(body)) {
    throw new Failure('the glue of wasm-bindgen has another form than scripts/glue.mjs knows');
  }
  return `// Made by scripts/glue.mjs from what wasm-bindgen wrote.
export function instantiate(module, memory) {
${body}
initSync({ module, memory });
return { ${names.join(', ')} };
}
`;
}
