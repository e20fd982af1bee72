/** `npm run build`: from a clone to pkg/ (the crate as WebAssembly, four ways) and dist/ (the TypeScript, compiled). */

import { buildDist } from './dist.mjs';
import { installPackages } from './packages.mjs';
import { findRust } from './rust.mjs';
import { main } from './step.mjs';
import { variants } from './variants.mjs';
import { wasmTools } from './wasm-tools.mjs';
import { buildVariant } from './wasm.mjs';

await main(async () => {
  await installPackages();
  const rust = await findRust();
  const tools = await wasmTools(rust);
  for (const variant of variants) await buildVariant(variant, rust, tools);
  await buildDist();
});
