/** Placeholder; see the next commit. */
import { join } from 'node:path';
import { cache } from './step.mjs';
const home = join(cache, 'debian-rust');
export const debianRust = { rustc: join(home, 'bin', 'rustc'), wasmLinker: join(home, 'bin', 'wasm-ld') };
export async function unpackDebianRust() {
  return false;
}
