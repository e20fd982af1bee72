/** `npm run build`: from a clone to pkg/ (the crate as WebAssembly, four ways) and dist/ (the TypeScript, compiled). */

import { buildDist } from './dist.mjs';
import { buildGlue } from './glue.mjs';
import { lockBuild } from './lock.mjs';
import { checkMachine } from './machine.mjs';
import { installPackages } from './packages.mjs';
import { findRust } from './rust.mjs';
import { main } from './step.mjs';
import { variants } from './variants.mjs';
import { wasmTools } from './wasm-tools.mjs';
import { buildVariant } from './wasm.mjs';

await main(async () => {
  checkMachine();
  await lockBuild();
  await installPackages();
  const rust = await findRust();
  const tools = await wasmTools(rust);
  // One cargo at a time leaves a core idle: codegen-units=1 and the final link are serial.
  await Promise.all(
    ['threads', 'single'].map(async (memory) => {
      for (const variant of variants.filter((each) => each.memory === memory)) await buildVariant(variant, rust, tools);
    }),
  );
  await buildGlue();
  await buildDist();
});
