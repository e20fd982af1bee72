// The inner loop of the products, as it is shipped. V8 takes instructions in the order in which they
// come, and LLVM's own order for WebAssembly spreads all rows before it multiplies: that takes more
// registers than there are, and products are half as fast (crate/src/gemm/tile.rs).

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What multiplies: of single precision, and of 8 bits where sums stay whole. */
const MULTIPLY = { f32: /f32x4\.relaxed_madd|f32x4\.mul/, int8: /i32x4\.relaxed_dot_i8x16_i7x16_add_s/ };

/** What the loops of a build do that hold no other loop: `s` spreads a number over a vector, `m` multiplies and adds. */
async function innerLoops(build: string, multiply: RegExp): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'loops-'));
  try {
    const text = join(folder, 'text.wat');
    await promisify(execFile)(process.execPath, [pathOf('../node_modules/binaryen/bin/wasm-dis'), pathOf(`../pkg/${build}/longformer_bg.wasm`), '--all-features', '-o', text]);
    return loopsOf(await readFile(text, 'utf8')).map((loop) =>
      [...loop.matchAll(new RegExp(`v128\\.load32_splat|${multiply.source}`, 'g'))].map(([operation]) => (operation === 'v128.load32_splat' ? 's' : 'm')).join(''));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The text of each loop in which there is no other, up to the parenthesis that closes it. */
function loopsOf(text: string): string[] {
  return [...text.matchAll(/\(loop\b/g)].flatMap(({ index }) => {
    let depth = 0;
    for (let at = index; at < text.length; at++) {
      if (text[at] === '(') depth += 1;
      else if (text[at] === ')') depth -= 1;
      if (depth === 0) {
        const loop = text.slice(index, at);
        return loop.indexOf('(loop', 1) === -1 ? [loop] : [];
      }
    }
    return [];
  });
}

const test = suite('inner loop');

// Rows of tiles, vectors of columns, and how many such tiles there are at least: transposed ones begin at
// different columns of a panel (crate/src/gemm/transposed.rs), four of 6 rows, two of 4.
const SIMD128 = [[4, 2, 3]] as const;
const RELAXED = { f32: [[6, 2, 5], [6, 4, 5], [4, 2, 3], [4, 4, 3]], int8: [[6, 2, 1], [6, 4, 1]] } as const;

for (const [build, dtype, shapes] of [
  ['single-simd128', 'f32', SIMD128], ['threads-simd128', 'f32', SIMD128],
  ...(['single-relaxed', 'threads-relaxed'] as const).flatMap((name) => (['f32', 'int8'] as const).map((dtype) => [name, dtype, RELAXED[dtype]] as const)),
] as const) {
  test(`${build}, ${dtype}, multiplies what it has spread before it spreads more`, async () => {
    const loops = await innerLoops(build, MULTIPLY[dtype]);
    for (const [rows, vectors, least] of shapes) {
      // An operation stands before what it is made of: the first multiplication before the first number.
      const inOrder = `m${`s${'m'.repeat(vectors)}`.repeat(rows)}`.slice(0, -1);
      const tiles = loops.filter((loop) => [...loop].sort().join('') === [...inOrder].sort().join(''));
      assert.ok(tiles.length >= least && tiles.every((loop) => loop === inOrder), `loops of ${rows} rows and ${vectors} vectors: ${tiles.join(', ') || 'none'}`);
    }
  });
}

test.run();
