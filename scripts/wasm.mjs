/** Builds the variants of the crate into pkg/<variant>, or with the names of functions into target/named/<variant>. */

import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unlessFresh } from './fresh.mjs';
import { root, run, step } from './step.mjs';
import { variantEnv } from './variants.mjs';

/**
 * `force` leaves out wasm-pack's look for a ready-made standard library, which it would have rustup
 * download. `no-pack` leaves out a package.json, `no-opt` its own wasm-opt, a download too.
 */
const wasmPackArgs = ['build', '--mode', 'force', '--target', 'web', '--no-opt', '--no-pack', '--no-gitignore'];
const binaryen = join(root, 'node_modules', 'binaryen');

/** What the builds are made of: how they are made, too. */
export const inputs = ['crate/Cargo.toml', 'crate/src', 'Cargo.toml', 'Cargo.lock', 'scripts/wasm.mjs', 'scripts/variants.mjs'];

/** `named`: the same code, its functions named for a profile. */
export async function buildVariant(variant, rust, tools, { named = false } = {}) {
  const { name, cargoArgs } = variant;
  const optFlags = named ? [...variant.optFlags, '--debuginfo'] : variant.optFlags;
  const folder = named ? join('target', 'named') : 'pkg';
  const output = join(folder, name);
  const partial = join(root, folder, `${name}.partial`);
  const settings = {
    flags: [wasmPackArgs, variant],
    Rust: rust.version,
    tools: tools.versions,
    binaryen: JSON.parse(readFileSync(join(binaryen, 'package.json'), 'utf8')).version,
  };

  await unlessFresh({ product: named ? `named-${name}` : name, inputs, settings, output }, (reason) =>
    step(`${folder}/${name} (${reason})`, async () => {
      rmSync(partial, { recursive: true, force: true });
      const paths = ['--out-name', 'longformer', '--out-dir', partial, 'crate'];
      await run('wasm-pack', [...wasmPackArgs, ...paths, '--', ...cargoArgs], { env: { ...tools.env, ...variantEnv(variant) }, log: name });
      const wasm = join(partial, 'longformer_bg.wasm');
      await run(process.execPath, [join(binaryen, 'bin', 'wasm-opt'), ...optFlags, wasm, '-o', wasm], { log: `${name}-wasm-opt` });
      rmSync(join(root, output), { recursive: true, force: true });
      renameSync(partial, join(root, output));
    }),
  );
}
