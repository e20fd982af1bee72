/**
 * wasm-pack and the wasm-bindgen that goes with Cargo.lock, installed from source into
 * .cache/tools. (The npm package of wasm-pack downloads a binary from elsewhere while it installs.)
 *
 * Each is installed beside its place and then renamed: a folder that is there is complete.
 */

import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure, cache, root, run, step } from './step.mjs';

const WASM_PACK = '0.15.1';

/** `{ versions, env }`: what is installed, and a PATH that has it. */
export async function wasmTools(rust) {
  const wasmBindgen = lockedVersion('wasm-bindgen');
  const folders = await Promise.all([
    install(rust, 'wasm-pack', WASM_PACK, ['--locked']),
    // Not --locked: its lock file names a crate version that registries may lack.
    install(rust, 'wasm-bindgen-cli', wasmBindgen, ['--bin', 'wasm-bindgen', '--bin', 'wasm-bindgen-test-runner']),
  ]);
  return {
    versions: `wasm-pack ${WASM_PACK}, wasm-bindgen ${wasmBindgen}`,
    env: { ...rust.env, PATH: [...folders.map((folder) => join(folder, 'bin')), rust.env.PATH].join(delimiter) },
  };
}

async function install(rust, name, version, args) {
  const folder = join(cache, 'tools', `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  await step(`install ${name} ${version}`, async () => {
    rmSync(partial, { recursive: true, force: true });
    // A debug build takes a third of the time and its speed is enough; its debug information would only be weight.
    await run(rust.cargo, ['install', '--debug', '--root', partial, '--version', version, ...args, name], {
      env: { ...rust.env, CARGO_PROFILE_DEV_DEBUG: '0' },
      log: `install-${name}`,
    });
    renameSync(partial, folder);
  });
  return folder;
}

/** The version of a crate in Cargo.lock. */
function lockedVersion(name) {
  const version = new RegExp(`^name = "${name}"\nversion = "(.+)"$`, 'm').exec(readFileSync(join(root, 'Cargo.lock'), 'utf8'))?.[1];
  if (!version) throw new Failure(`Cargo.lock has no ${name}`);
  return version;
}
