// The four builds of the crate, and which of them runs here.

import { LongformerError } from '../errors.ts';

/** A build, as it lies in `pkg/`. */
export interface Build {
  readonly name: BuildName;
  readonly simd: Simd;
  readonly threads: boolean;
  /** Where its module is, or the module. */
  readonly wasm: URL | WebAssembly.Module;
}

type BuildName = `${'threads' | 'single'}-${Simd}`;

/** The package's own. Bundlers look for these very expressions, and move the files. */
const shipped: Record<BuildName, () => URL> = {
  'threads-relaxed': () => new URL('../../pkg/threads-relaxed/longformer_bg.wasm', import.meta.url),
  'threads-simd128': () => new URL('../../pkg/threads-simd128/longformer_bg.wasm', import.meta.url),
  'single-relaxed': () => new URL('../../pkg/single-relaxed/longformer_bg.wasm', import.meta.url),
  'single-simd128': () => new URL('../../pkg/single-simd128/longformer_bg.wasm', import.meta.url),
};

function ownBuild(name: BuildName): URL {
  try {
    return shipped[name]();
  } catch (cause) { // a bundle that is a classic script does not know where it is
    throw new LongformerError('NOT_FOUND', 'the builds', 'must be named by the option `wasm` here, as this bundle does not know its own address', { cause });
  }
}

/** Vector instructions: the plain 128-bit ones, or those and the relaxed ones (fused multiply-add). */
export type Simd = 'simd128' | 'relaxed';

/** What can be asked for; `wide` is `auto`, and 256 bits where they are to be had (`wide.ts`). */
export type SimdWish = (typeof SIMD_WISHES)[number];

export const SIMD_WISHES = ['auto', 'simd128', 'relaxed', 'wide'] as const;

/** Small modules that only validate with the feature in question. */
const probes = {
  // (func (result v128) i32.const 0 i8x16.splat)
  simd128: [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
  // (func (export "fused") (result i32)      (1 + 2^-12)^2 - (1 + 2^-11) is not 0: rounded once
  //   (i32.eqz (f32.eq (f32.const 0) (f32x4.extract_lane 0 (f32x4.relaxed_madd
  //     (f32x4.splat (f32.const 0x1.001p0)) (f32x4.splat (f32.const 0x1.001p0)) (f32x4.splat (f32.const -0x1.002p0)))))))
  // (func (export "product") (result i32)    1 * -128 + 1 * -128, or 1 * 128 + 1 * 128
  //   (i16x8.extract_lane_s 0 (i16x8.relaxed_dot_i8x16_i7x16_s (i8x16.splat (i32.const 1)) (i8x16.splat (i32.const -128)))))
  relaxed: [
    1, 5, 1, 96, 0, 1, 127, 3, 3, 2, 0, 0, 7, 19, 2, 5, 102, 117, 115, 101, 100, 0, 0, 7, 112, 114, 111, 100, 117, 99, 116, 0, 1,
    10, 56, 2, 36, 0, 67, 0, 8, 128, 63, 253, 19, 67, 0, 8, 128, 63, 253, 19, 67, 0, 16, 128, 191, 253, 19, 253, 133, 2, 253, 31, 0,
    67, 0, 0, 0, 0, 91, 69, 11, 17, 0, 65, 1, 253, 15, 65, 128, 127, 253, 15, 253, 146, 2, 253, 24, 0, 11,
  ],
} as const satisfies Record<Simd, readonly number[]>;

/** Whether WebAssembly has these instructions here. */
export function supports(simd: Simd): boolean {
  return WebAssembly.validate(probe(simd));
}

function probe(simd: Simd): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...probes[simd]]);
}

/** Why the build with relaxed instructions would not compute what it should, or null. Engines may do them in several ways. */
function whyNotRelaxed(): string | null {
  if (!supports('relaxed')) return 'there is no relaxed SIMD';
  return [256, null].includes(relaxed('product')) ? null : 'relaxed products of 8 bits are not as on x64 or ARM';
}

/** The size of what the probe computes; null where nothing may be compiled, which whoever loads a build will say. */
function relaxed(result: 'fused' | 'product'): number | null {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(probe('relaxed')));
    return Math.abs((exports as Record<typeof result, () => number>)[result]());
  } catch {
    return null;
  }
}

/** Whether threads can share memory here: a page must be cross-origin isolated for it. */
export function sharesMemory(): boolean {
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
}

/** What a build is chosen by. */
export interface BuildWish {
  simd: SimdWish;
  threads: number;
  /** The folder that holds the builds, instead of the package's own `pkg/`, or the module of one. */
  wasm?: URL | WebAssembly.Module | undefined;
  /** Why there can be one thread only, or null. */
  oneThread?: string | null;
}

/** The build to run, and why it is this one. */
export function chooseBuild({ simd: wish, threads, wasm, oneThread = null }: BuildWish): { build: Build; reason: string } {
  const simd = wish === 'wide' ? 'auto' : wish;
  if (!supports('simd128')) {
    throw new LongformerError('BAD_INPUT', 'this runtime', 'must have WebAssembly SIMD, has not');
  }
  if (wasm instanceof WebAssembly.Module) return givenBuild(wasm, oneThread ?? whyOneThread(threads));
  const whyNot = simd === 'simd128' ? null : whyNotRelaxed();
  if (simd === 'relaxed' && whyNot !== null) throw new LongformerError('BAD_INPUT', 'simd', `must be "auto" or "simd128" here: ${whyNot}`);
  const whyPlain = whyNot ?? (relaxed('fused') === 0 ? 'relaxed multiply-add rounds twice, so plain SIMD is as fast' : null);
  const chosen = simd !== 'auto' ? simd : whyPlain === null ? 'relaxed' : 'simd128';
  const whySingle = oneThread ?? whyOneThread(threads);
  const name = `${whySingle === null ? 'threads' : 'single'}-${chosen}` as const;
  const reasons = [
    simd !== 'auto' ? `simd: ${simd} was asked for`
      : whyPlain ?? 'relaxed SIMD is there',
    whySingle ?? 'shared memory is there',
  ];
  const url = wasm === undefined ? ownBuild(name) : fileIn(wasm, `${name}/longformer_bg.wasm`);
  return { build: { name, simd: chosen, threads: whySingle === null, wasm: url }, reason: reasons.join('; ') };
}

/** A file of a folder, with what else is in the folder's address. */
function fileIn(folder: URL, path: string): URL {
  const url = new URL(folder);
  url.pathname = `${folder.pathname.replace(/\/$/, '')}/${path}`;
  return url;
}

/** The build that a module is of, by what its linker wrote into it. */
function givenBuild(module: WebAssembly.Module, oneThread: string | null): { build: Build; reason: string } {
  const [section = new ArrayBuffer()] = WebAssembly.Module.customSections(module, 'target_features');
  const features = new TextDecoder().decode(section);
  if (!features.includes('simd128')) throw new LongformerError('BAD_INPUT', 'wasm', 'must be a build of the crate');
  const simd = features.includes('relaxed-simd') ? 'relaxed' : 'simd128';
  const whyNot = simd === 'relaxed' ? whyNotRelaxed() : null;
  if (whyNot !== null) throw new LongformerError('BAD_INPUT', 'wasm', `must be a build without relaxed instructions here: ${whyNot}`);
  const threads = features.includes('atomics');
  if (threads && oneThread !== null) throw new LongformerError('BAD_INPUT', 'wasm', `must be a build for one thread here: ${oneThread}`);
  const reason = `the module was given${threads ? '' : ', and is for one thread'}`;
  return { build: { name: `${threads ? 'threads' : 'single'}-${simd}`, simd, threads, wasm: module }, reason };
}

function whyOneThread(threads: number): string | null {
  if (threads === 1) return 'one thread was asked for, or there is one core';
  if (sharesMemory()) return null;
  return globalThis.crossOriginIsolated === false
    ? 'the page is not cross-origin isolated: one thread' : 'there is no shared memory: one thread';
}
