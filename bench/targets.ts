// Our time as a share of each peer's, beside what it is meant to be at most.

import type { Line, Time } from './measure.ts';
import type { ShapeName } from './shapes.ts';

const OURS = ['f32', 'f16', 'int8', 'f32 wide', 'int8 wide'] as const;

type Ours = (typeof OURS)[number];

type Targets = Record<number, Partial<Record<Ours, Record<string, number>>>>;

/** The largest share that is wanted, by shape, tokens, our dtype and whom it is compared with. */
const TARGETS: Record<ShapeName, Targets> = {
  base: {
    16: { f32: { 'onnxruntime-web f32': 0.8, 'onnxruntime-web q8': 1.2, 'HF Longformer': 0.05 } },
    512: {
      f32: { 'onnxruntime-web f32': 0.55, 'onnxruntime-web q8': 0.95, 'HF Longformer': 1.1 },
      int8: { 'onnxruntime-web f32': 0.33, 'onnxruntime-web q8': 0.58, 'HF Longformer': 0.65, 'ours f32': 0.65 },
    },
    4096: {
      f32: { 'onnxruntime-web f32': 0.27, 'onnxruntime-web q8': 0.38, 'HF Longformer': 0.85 },
      int8: { 'onnxruntime-web f32': 0.16, 'onnxruntime-web q8': 0.24, 'HF Longformer': 0.5, 'onnxruntime fused': 0.65, 'ours f32': 0.65 },
      'f32 wide': { 'onnxruntime-web f32': 0.14, 'onnxruntime-web q8': 0.2, 'HF Longformer': 0.45, 'onnxruntime fused': 0.6, 'ours f32': 0.6 },
      'int8 wide': { 'onnxruntime fused': 0.65 },
    },
    16_384: { f32: { 'HF Longformer': 0.6 } },
  },
  minilm: { 4096: { f32: { 'onnxruntime-web q8': 0.17 }, int8: { 'onnxruntime-web q8': 0.11 } } },
};

/** On Xeons, whose units of 512 bits make native code twice as fast as two of 256 would, more is allowed beside it. */
const ON_XEONS: Targets = {
  512: { f32: { 'HF Longformer': 1.65 }, int8: { 'HF Longformer': 0.95 } },
  4096: { f32: { 'HF Longformer': 1.2 }, int8: { 'HF Longformer': 0.75 }, 'f32 wide': { 'HF Longformer': 0.7 } },
};

/** Medians over medians: a line for each of ours over all that were timed, and one for each target. */
export function ratios(cpu: string, shape: ShapeName, tokens: number, times: Record<string, Time>): Line[] {
  return OURS.flatMap((dtype) => {
    const of = `ours ${dtype}`;
    if (!times[of]) return [];
    const others = Object.keys(times).filter((name) => !name.startsWith('ours') || (name === 'ours f32' && dtype !== 'f32'));
    if (others.length === 0) return [];
    const shares = Object.fromEntries(others.map((to) => [to, times[of]!.median / times[to]!.median]));
    const wanted = { ...TARGETS[shape][tokens]?.[dtype], ...(shape === 'base' && cpu.includes('Xeon') ? ON_XEONS[tokens]?.[dtype] : {}) };
    const targets = Object.entries(wanted).filter(([to]) => to in shares);
    return [
      { what: 'ratio', shape, tokens, of, ...shares },
      ...targets.map(([to, target]): Line => ({ what: 'target', shape, tokens, of, to, ratio: shares[to]!, target, met: shares[to]! <= target ? 'yes' : 'no' })),
    ];
  });
}
