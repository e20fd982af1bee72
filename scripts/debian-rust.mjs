/**
 * A Rust with its library source from Debian's packages, without installing them: `rustc-web` and
 * the packages of the same version beside it conflict with Debian's own `rustc` and with rustup.
 * They are downloaded (apt checks their signatures), unpacked into .cache/debian-rust and run
 * through wrappers that set the library path. Needs no rights beyond those of the user.
 */

import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, ask, cache, run, step } from './step.mjs';

const home = join(cache, 'debian-rust');

/** Where the wrappers lie, once unpacked. */
export const debianRust = { rustc: join(home, 'bin', 'rustc'), wasmLinker: join(home, 'bin', 'wasm-ld') };

/** Unpacks the packages; false where this is no Debian or its Rust is too old. */
export async function unpackDebianRust(isNewEnough) {
  if (!existsSync('/etc/debian_version')) return false;
  return step('Rust from Debian packages', async () => {
    const packages = (await choosePackages(isNewEnough)) ?? ((await updateLists()) ? await choosePackages(isNewEnough) : undefined);
    if (!packages) return false;
    const partial = `${home}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(join(partial, 'packages'), { recursive: true });
    await download(packages, join(partial, 'packages'));
    for (const name of readdirSync(join(partial, 'packages'))) {
      await run('dpkg-deb', ['-x', join(partial, 'packages', name), partial], { log: 'debian-rust-unpack' });
    }
    rmSync(join(partial, 'packages'), { recursive: true });
    dropCompilerSource(partial);
    writeWrappers(partial);
    rmSync(home, { recursive: true, force: true });
    renameSync(partial, home);
    return true;
  });
}

/** `name=version` of every package that is needed and not installed; undefined where Debian has none new enough. */
async function choosePackages(isNewEnough) {
  const rustc = await describe('rustc-web');
  if (!rustc || !isNewEnough(rustc.version)) return undefined;
  const release = rustc.version.split('.').slice(0, 2).join('.');
  const sameVersion = ['rustc-web', 'cargo-web', `libstd-rust-web-${release}`, 'libstd-rust-web-dev', 'rust-web-src'];
  const chosen = new Map(sameVersion.map((name) => [name, rustc.version]));

  // The linker of the LLVM that this rustc is built on: both then share one library.
  const library = await describe(sameVersion[2], rustc.version);
  const llvm = /\blibllvm(\d+)/.exec(library?.depends)?.[1];
  const linker = llvm && (await describe(`lld-${llvm}`));
  if (linker) chosen.set(`lld-${llvm}`, linker.version);

  for (const [name, version] of chosen) {
    // A Map's loop also visits what is added meanwhile: the closure of the libraries.
    for (const dependency of (await describe(name, version))?.depends.match(/\blib[^\s,|(]+/g) ?? []) {
      if (chosen.has(dependency) || (await isInstalled(dependency))) continue;
      const found = await describe(dependency);
      if (found) chosen.set(dependency, found.version);
    }
  }
  return [...chosen].map(([name, version]) => `${name}=${version}`);
}

/** Version and dependencies of a package, by default of the version that apt would install. */
async function describe(name, version) {
  const { code, output } = await ask('apt-cache', ['show', '--no-all-versions', version ? `${name}=${version}` : name]);
  const field = (key) => new RegExp(`^${key}: (.+)$`, 'm').exec(output)?.[1];
  return code === 0 && field('Version') ? { version: field('Version'), depends: field('Depends') ?? '' } : undefined;
}

async function isInstalled(name) {
  const { output } = await ask('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]);
  return output.includes('installed') && !output.includes('not-installed');
}

async function download(packages, folder) {
  const get = () => ask('apt-get', ['download', ...packages], { cwd: folder, seconds: 600 });
  // Lists that are out of date name files that are gone.
  if ((await get()).code === 0 || ((await updateLists()) && (await get()).code === 0)) return;
  await run('apt-get', ['download', ...packages], { cwd: folder, seconds: 600, log: 'debian-rust-download' });
}

async function updateLists() {
  return (await ask('apt-get', ['update'], { seconds: 300 })).code === 0;
}

/** Keeps the standard library of the sources, a sixth of them. */
function dropCompilerSource(folder) {
  const sources = join(folder, 'usr', 'src');
  for (const version of readdirSync(sources)) {
    for (const name of ['compiler', 'src', 'tests']) rmSync(join(sources, version, name), { recursive: true, force: true });
  }
}

function writeWrappers(folder) {
  const lib = join(folder, 'usr', 'lib');
  const triple = readdirSync(lib).find((name) => name.includes('-linux-gnu'));
  if (!triple) throw new Failure('Debian packages of Rust have changed: no library folder was found in them');
  const llvm = readdirSync(lib).find((name) => name.startsWith('llvm-'));
  const programs = { rustc: 'usr/bin/rustc', cargo: 'usr/bin/cargo', ...(llvm && { 'wasm-ld': `usr/lib/${llvm}/bin/wasm-ld` }) };
  mkdirSync(join(folder, 'bin'));
  for (const [name, program] of Object.entries(programs)) {
    const file = join(folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\nhome=\${0%/*}/..\nLD_LIBRARY_PATH="$home/usr/lib/${triple}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "$home/${program}" "$@"\n`);
    chmodSync(file, 0o755);
  }
}
