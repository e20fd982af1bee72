/**
 * Finds a Rust that can rebuild its own standard library.
 *
 * No ready-made standard library for wasm32-unknown-unknown has atomics, so the builds make it
 * (`-Z build-std`), and for that the compiler's matching library source must lie in its sysroot.
 * RUSTC_BOOTSTRAP=1 lets a stable compiler do it.
 *
 * Looked at in this order: the compiler named by WASM_RUSTC, rustc on PATH, rustup's other tool
 * chains, Debian's packages if they were unpacked before; then `rustup component add rust-src`;
 * then Debian's packages (debian-rust.mjs). LONGFORMER_RUST=debian goes straight to the last.
 */

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { debianRust, unpackDebianRust } from './debian-rust.mjs';
import { Failure, ask, step } from './step.mjs';

/** Whether `1.96.0…` is 1.92 or newer, the first where `+atomics` implies no link arguments: variants.mjs counts on it. */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 92);
}

/** `{ rustc, cargo, version, env }`: the tools, `rustc -vV`, and the environment that makes cargo use them. */
export async function findRust() {
  const { WASM_RUSTC: named, LONGFORMER_RUST: wish } = process.env;
  const rust = named ? await inspect(named) : wish === 'debian' ? await debian() : await anyRust();
  if (rust) return rust;
  const wanted = 'Rust 1.92 or newer with its library source';
  if (named) throw new Failure(`WASM_RUSTC: ${named} is no ${wanted}`);
  throw new Failure(`${wanted} was not found.\nInstall Rust with rustup and add the source: rustup component add rust-src`);
}

async function anyRust() {
  for (const rustc of ['rustc', ...(await toolchains()), debianRust.rustc]) {
    const rust = await inspect(rustc);
    if (rust) return rust;
  }
  return (await withRustSource()) ?? debian();
}

async function withRustSource() {
  if ((await ask('rustup', ['--version'])).code !== 0) return undefined;
  // Where rustup's server cannot be reached, it tries for minutes.
  const { code } = await step('rustup component add rust-src', () => ask('rustup', ['component', 'add', 'rust-src'], { seconds: 60 }));
  return code === 0 ? inspect('rustc') : undefined;
}

async function debian() {
  return (await inspect(debianRust.rustc)) ?? ((await unpackDebianRust(isNewEnough)) ? inspect(debianRust.rustc) : undefined);
}

/** The compilers of rustup's tool chains. */
async function toolchains() {
  const { stdout } = await ask('rustup', ['toolchain', 'list', '-v']);
  const folders = stdout.split('\n').map((line) => line.split(/\s+/).at(-1));
  return folders.filter(isAbsolute).map((folder) => join(folder, 'bin', 'rustc'));
}

/** What `rustc` is, or undefined if it is missing, too old or without its library source. */
async function inspect(rustc) {
  const sysroot = (await ask(rustc, ['--print', 'sysroot'])).stdout.trim();
  const version = (await ask(rustc, ['-vV'])).stdout.trim();
  const field = (name) => new RegExp(`^${name}: (.+)$`, 'm').exec(version)?.[1] ?? '';
  if (!isNewEnough(field('release'))) return undefined;
  if (!existsSync(join(sysroot, 'lib', 'rustlib', 'src', 'rust', 'library', 'Cargo.lock'))) return undefined;

  // The real programs, not rustup's proxies, which choose a tool chain anew with each call.
  const bin = rustc === debianRust.rustc ? dirname(rustc) : join(sysroot, 'bin');
  const [compiler, cargo] = [
    [join(bin, 'rustc'), rustc],
    [join(bin, 'cargo'), 'cargo'],
  ].map((candidates) => candidates.find(existsSync) ?? candidates[1]);
  const linker = wasmLinker(sysroot, field('host'));
  return {
    rustc: compiler,
    cargo,
    version,
    env: {
      ...withoutFlags(process.env),
      // wasm-pack calls `cargo` and `rustc` by name.
      PATH: [...[compiler, cargo].filter(isAbsolute).map(dirname), process.env.PATH].join(delimiter),
      RUSTC: compiler,
      RUSTC_BOOTSTRAP: '1',
      ...(linker && { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker }),
    },
  };
}

/** Unsets what would change the builds behind the stamps' back. */
function withoutFlags(env) {
  const flags = /^(CARGO_ENCODED_)?RUSTFLAGS$|^CARGO_(PROFILE_|UNSTABLE_|TARGET_WASM32_|TARGET_DIR$|BUILD_(?!JOBS$))/;
  return Object.fromEntries(Object.keys(env).filter((name) => flags.test(name)).map((name) => [name, undefined]));
}

/** A `wasm-ld`, or undefined where the tool chain has its own, which it then finds by itself. */
function wasmLinker(sysroot, host) {
  if (existsSync(join(sysroot, 'lib', 'rustlib', host, 'bin', 'rust-lld'))) return undefined;
  if (existsSync(debianRust.wasmLinker)) return debianRust.wasmLinker;
  for (const folder of process.env.PATH.split(delimiter).filter(existsSync)) {
    const names = readdirSync(folder).filter((name) => /^wasm-ld(-\d+)?$/.test(name)).sort();
    if (names.length > 0) return join(folder, names[0]);
  }
  throw new Failure('No WebAssembly linker was found. Install one: apt-get install lld');
}
