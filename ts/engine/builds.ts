// The four builds of the crate, and which of them runs here.

import { LongformerError } from '../errors.ts';

/** What the crate exports. The single-thread builds lack the pool. */
export type Wasm = typeof import('../../pkg/threads-simd128/longformer.js');

/** A build, as it lies in `pkg/`. */
export interface Build {
  readonly name: `${'threads' | 'single'}-${Simd}`;
  readonly simd: Simd;
  readonly threads: boolean;
  /** The glue that wasm-bindgen wrote, and the module it initialises. */
  readonly glue: URL;
  readonly wasm: URL;
}

/** Vector instructions: the plain 128-bit ones, or those and the relaxed ones (fused multiply-add). */
export type Simd = 'simd128' | 'relaxed';

/** Smallest modules that only validate with the feature in question. */
const probes = {
  // (func (result v128) i32.const 0 i8x16.splat)
  simd128: [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
  // (func (result v128) (f32x4.relaxed_madd (i8x16.splat (i32.const 1)) three times))
  relaxed: [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 1, 253, 15, 65, 1, 253, 15, 65, 1, 253, 15, 253, 133, 2, 11],
} as const satisfies Record<Simd, readonly number[]>;

/** Whether WebAssembly has these instructions here. */
export function supports(simd: Simd): boolean {
  return WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...probes[simd]]));
}

/**
 * The build to run, and why it is this one.
 *
 * @param folder what holds the builds, the package's own `pkg/` by default
 */
export function chooseBuild(simd: 'auto' | Simd, threads: number, folder: URL): { build: Build; reason: string } {
  if (!supports('simd128')) {
    throw new LongformerError('BAD_INPUT', 'this runtime', 'must have WebAssembly SIMD, has not');
  }
  if (simd === 'relaxed' && !supports('relaxed')) {
    throw new LongformerError('BAD_INPUT', 'simd', 'must be "auto" or "simd128" here: there are no relaxed instructions');
  }
  const chosen = simd === 'auto' ? (supports('relaxed') ? 'relaxed' : 'simd128') : simd;
  const shared = typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
  const name = `${threads > 1 && shared ? 'threads' : 'single'}-${chosen}` as const;
  const reasons = [
    simd !== 'auto' ? `simd: ${simd} was asked for`
      : chosen === 'relaxed' ? 'relaxed SIMD is there' : 'there is no relaxed SIMD',
    !shared ? 'there is no shared memory: one thread'
      : threads === 1 ? 'one thread was asked for, or there is one core' : 'shared memory is there',
  ];
  const build = {
    name,
    simd: chosen,
    threads: name.startsWith('threads'),
    glue: new URL(`${name}/longformer.js`, folder),
    wasm: new URL(`${name}/longformer_bg.wasm`, folder),
  };
  return { build, reason: reasons.join('; ') };
}
