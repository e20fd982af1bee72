/** The builds for one thread with the names of functions in them, for profiles: in target/named/<variant>. */

import { findRust } from './rust.mjs';
import { variants } from './variants.mjs';
import { wasmTools } from './wasm-tools.mjs';
import { buildVariant } from './wasm.mjs';

export async function buildNamed() {
  const rust = await findRust();
  const tools = await wasmTools(rust);
  for (const variant of variants.filter(({ memory }) => memory === 'single')) await buildVariant(variant, rust, tools, { named: true });
}
