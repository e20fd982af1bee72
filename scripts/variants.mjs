/**
 * The four builds of the crate and the flags of each: {shared memory, single thread} x
 * {simd128, simd128 + relaxed-simd}. Which of them runs is chosen when the library starts.
 */

import { join } from 'node:path';
import { root } from './step.mjs';

/** Shared memory has to be asked for piece by piece since Rust 1.92: `+atomics` implies none of it. */
const sharedMemory = [
  '--shared-memory',
  '--import-memory',
  '--max-memory=4294967296',
  '--export=__wasm_init_tls',
  '--export=__tls_size',
  '--export=__tls_align',
  '--export=__tls_base',
  '--export=__heap_base',
];

function variant(memory, simd) {
  const threads = memory === 'threads';
  const relaxed = simd === 'relaxed';
  const features = [
    ...(threads ? ['+atomics', '+bulk-memory', '+mutable-globals'] : []),
    '+simd128',
    ...(relaxed ? ['+relaxed-simd'] : []),
  ];
  return {
    name: `${memory}-${simd}`,
    threads,
    relaxed,
    cargoArgs: ['-Z', 'build-std=std,panic_abort', ...(threads ? ['--features', 'threads'] : [])],
    rustFlags: [
      `-Ctarget-feature=${features.join(',')}`,
      // LLVM's default order for wasm spills the register tile of the GEMM.
      '-Cllvm-args=-pre-RA-sched=source',
      ...(threads ? sharedMemory.map((argument) => `-Clink-arg=${argument}`) : []),
    ],
    // What rustc lets LLVM use besides is on by default since Rust 1.82; wasm-opt must be told of each.
    optFlags: [
      '-O2',
      '--enable-simd',
      '--enable-bulk-memory',
      '--enable-mutable-globals',
      '--enable-sign-ext',
      '--enable-nontrapping-float-to-int',
      '--enable-reference-types',
      '--enable-multivalue',
      ...(threads ? ['--enable-threads'] : []),
      ...(relaxed ? ['--enable-relaxed-simd'] : []),
    ],
  };
}

export const variants = [
  variant('threads', 'relaxed'),
  variant('threads', 'simd128'),
  variant('single', 'relaxed'),
  variant('single', 'simd128'),
];

/** Cargo's environment for one variant. The variable is the target's own and not RUSTFLAGS: cargo's calls for the host would choke on these. */
export function variantEnv({ name, rustFlags }) {
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: rustFlags.join(' '), CARGO_TARGET_DIR: join(root, 'target', name) };
}
