/**
 * The four builds of the crate and the flags of each: {shared memory, single thread} x
 * {simd128, simd128 + relaxed-simd}. Which of them runs is chosen when the library starts.
 *
 * relaxed-simd is switched on for the crate alone, as flags of its package in cargo's profile, so
 * that the two builds of one kind of memory share a target folder with one standard library and
 * one rayon in it: these take most of the time of a build. Both lose nothing by it: they hold no
 * relaxed instruction, and their inlined and generic functions are compiled with the crate's flags.
 */

import { join } from 'node:path';
import { root } from './step.mjs';

/** The engine makes the memory and sets its limit. */
const importedMemory = ['--import-memory', '--max-memory=4294967296'];

/** Shared memory has to be asked for piece by piece since Rust 1.92: `+atomics` implies none of it. */
const sharedMemory = [
  '--shared-memory',
  '--export=__wasm_init_tls',
  '--export=__tls_size',
  '--export=__tls_align',
  '--export=__tls_base',
  '--export=__heap_base',
];

function variant(memory, simd) {
  const threads = memory === 'threads';
  const relaxed = simd === 'relaxed';
  return {
    name: `${memory}-${simd}`,
    memory,
    relaxed,
    rustFlags: [
      `-Ctarget-feature=${threads ? '+atomics,+bulk-memory,+mutable-globals,' : ''}+simd128`,
      // LLVM's default order for wasm spills the register tile of the GEMM.
      '-Cllvm-args=-pre-RA-sched=source',
      ...[...importedMemory, ...(threads ? sharedMemory : [])].map((argument) => `-Clink-arg=${argument}`),
    ],
    cargoArgs: [
      ...['-Z', 'build-std=std,panic_abort'],
      // By modification time, cargo would take a file restored to an older content for unchanged.
      ...['-Z', 'checksum-freshness'],
      // What is shipped names no folder of the machine it was built on.
      ...['-Z', 'trim-paths', '--config', "profile.release.trim-paths='all'"],
      ...(threads ? ['--features', 'threads'] : []),
      ...(relaxed
        ? ['-Z', 'profile-rustflags', '--config', "profile.release.package.longformer.rustflags=['-Ctarget-feature=+relaxed-simd']"]
        : []),
    ],
    optFlags: [
      // The lowest kilobyte is the end of the stack, which nobody points into: constants go from additions
      // into the offsets of loads, where V8 sees which are neighbours (ts/engine/wide.ts).
      '--low-memory-unused',
      '--optimize-added-constants-propagate',
      '-O2',
      // On by default in rustc since 1.82; wasm-opt must be told of each.
      '--enable-bulk-memory',
      '--enable-mutable-globals',
      '--enable-sign-ext',
      '--enable-nontrapping-float-to-int',
      '--enable-reference-types',
      '--enable-multivalue',
      '--enable-simd',
      ...(relaxed ? ['--enable-relaxed-simd'] : []),
      ...(threads ? ['--enable-threads'] : []),
    ],
  };
}

export const variants = [
  variant('threads', 'relaxed'),
  variant('threads', 'simd128'),
  variant('single', 'relaxed'),
  variant('single', 'simd128'),
];

/**
 * Cargo's environment for one variant. The flags' variable is the target's own and not RUSTFLAGS:
 * cargo's calls for the host would choke on them.
 */
export function variantEnv({ memory, rustFlags }) {
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: rustFlags.join(' '), CARGO_TARGET_DIR: join(root, 'target', memory) };
}

/** Whether this Node runs the relaxed variants. The module: one function with an `i32x4.relaxed_trunc_f32x4_s`. */
export function hasRelaxedSimd() {
  const [header, type, functions] = [[0, 97, 115, 109, 1, 0, 0, 0], [1, 5, 1, 96, 0, 1, 123], [3, 2, 1, 0]];
  const code = [10, 11, 1, 9, 0, 65, 1, 253, 15, 253, 129, 2, 11];
  return WebAssembly.validate(new Uint8Array([...header, ...type, ...functions, ...code]));
}
