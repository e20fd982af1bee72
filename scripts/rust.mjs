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
import { delimiter, dirname, join } from 'node:path';
import { debianRust, unpackDebianRust } from './debian-rust.mjs';
import { Failure, attempt, step } from './step.mjs';

/** 1.92 is the first where `+atomics` implies no link arguments, which variants.mjs counts on. */
const OLDEST = [1, 92];

/** `{ rustc, cargo, version, env }`: the tools, `rustc -vV`, and the environment that makes cargo use them. */
export async function findRust() {
  const { WASM_RUSTC: named, LONGFORMER_RUST: wish } = process.env;
  const rust = named ? await inspect(named) : wish === 'debian' ? await debian() : await anyRust();
  if (rust) return rust;
  const wanted = `Rust ${OLDEST.join('.')} or newer with its library source`;
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
  if ((await quietly('rustup', ['--version'])).code !== 0) return undefined;
  // Where rustup's server cannot be reached, it tries for minutes.
  const { code } = await step('rustup component add rust-src', () => quietly('rustup', ['component', 'add', 'rust-src'], 60));
  return code === 0 ? inspect('rustc') : undefined;
}

async function debian() {
  return (await inspect(debianRust.rustc)) ?? ((await unpackDebianRust(OLDEST)) ? inspect(debianRust.rustc) : undefined);
}

/** The compilers of rustup's tool chains. */
async function toolchains() {
  const { code, output } = await quietly('rustup', ['toolchain', 'list', '-v']);
  if (code !== 0) return [];
  return output.split('\n').map((line) => line.split(/\s+/).at(-1)).filter((path) => path.startsWith('/')).map((path) => join(path, 'bin', 'rustc'));
}

/** What `rustc` is, or undefined if it is missing, too old or without its library source. */
async function inspect(rustc) {
  const sysroot = await quietly(rustc, ['--print', 'sysroot']);
  const version = await quietly(rustc, ['-vV']);
  if (sysroot.code !== 0 || version.code !== 0) return undefined;
  const home = sysroot.output.trim();
  const [major, minor] = /^release: (\d+)\.(\d+)/m.exec(version.output)?.slice(1).map(Number) ?? [0, 0];
  if (major === OLDEST[0] && minor < OLDEST[1]) return undefined;
  if (!existsSync(join(home, 'lib', 'rustlib', 'src', 'rust', 'library', 'Cargo.lock'))) return undefined;
  const host = /^host: (.+)$/m.exec(version.output)[1];
  return describe(rustc, home, host, version.output.trim());
}

function describe(rustc, sysroot, host, version) {
  const unpacked = rustc === debianRust.rustc;
  // The real programs, not rustup's proxies, which choose a tool chain anew with each call.
  const real = (name) => (unpacked ? join(dirname(rustc), name) : join(sysroot, 'bin', name));
  const compiler = existsSync(real('rustc')) ? real('rustc') : rustc;
  const cargo = existsSync(real('cargo')) ? real('cargo') : 'cargo';
  const linker = wasmLinker(sysroot, host);
  return {
    rustc: compiler,
    cargo,
    version,
    env: {
      ...withoutFlags(process.env),
      // wasm-pack calls `cargo` and `rustc` by name.
      PATH: [dirname(compiler), dirname(cargo), process.env.PATH].join(delimiter),
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

/** Like `attempt`, for a program that may be missing. */
async function quietly(program, args, seconds = 20) {
  try {
    return await attempt(program, args, { seconds });
  } catch (error) {
    if (error instanceof Failure || error.code === 'EACCES') return { code: 127, output: '' };
    throw error;
  }
}
