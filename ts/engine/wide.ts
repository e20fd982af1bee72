// 256 bits: V8 can fuse neighbouring vectors of 128 bits into one twice as long, if a flag tells it to.
// The flag is experimental and of the whole process, so nobody gets it who did not ask for it; and what
// V8 makes of it is tried before it is relied on.

import { LongformerError } from '../errors.ts';
import { builtin } from '../platform/node.ts';
import { runtimeName } from '../platform/runtime.ts';
import { nextTurn } from '../platform/turn.ts';
import type { Wasm } from './glue.ts';

/** What became of the wish for 256 bits. */
export interface Wide { isOn: boolean; reason: string }

const FLAG = 'experimental-wasm-revectorize';

/** V8 compiles a function well behind some milliseconds of calls, in a thread of its own. */
const TRIAL_MILLISECONDS = 300;
/** Products between two looks at the clock, some tenths of a millisecond. */
const TIMES = 100;
/** As often as the two ways must have been told apart. */
const ROUNDS = 4;

/** Makes V8 fuse vectors in what this process compiles from now on. Returns why it cannot, or null. */
export function askForFusedVectors(): string | null {
  const v8 = builtin('node:v8');
  if (v8 === undefined || !runtimeName().startsWith('node ')) return 'only Node can be told to fuse vectors';
  v8.setFlagsFromString(`--${FLAG}`);
  return null;
}

/**
 * Tries products over two panels at a time, and takes them if they are faster: they are where vectors
 * are fused, and much slower elsewhere. Rejects with `ENGINE_DEAD` where fused vectors compute something else.
 */
export async function tryWide(wasm: Wasm): Promise<Wide> {
  const trial = new wasm.WideTrial();
  try {
    const [product, others] = [trial.product(false, 1), trial.others()]; // by code that is not optimised yet
    const time = (two: boolean): number => {
      const start = performance.now();
      const same = trial.product(two, TIMES) === product;
      const milliseconds = performance.now() - start;
      if (!same || trial.others() !== others) throw fusedWrongly();
      return milliseconds;
    };
    const deadline = performance.now() + TRIAL_MILLISECONDS;
    for (let faster = 0; performance.now() < deadline; await nextTurn()) {
      faster = time(true) < 0.9 * time(false) ? faster + 1 : 0;
      if (faster < ROUNDS) continue;
      wasm.takeTwoPanels(true);
      return { isOn: true, reason: 'wide: pairs of vectors are fused to 256 bits' };
    }
    wasm.takeTwoPanels(false);
    return { isOn: false, reason: 'not wide: this V8 does not fuse vectors' };
  } finally {
    trial.free();
  }
}

function fusedWrongly(): LongformerError {
  builtin('node:v8')?.setFlagsFromString(`--no-${FLAG}`);
  return new LongformerError('ENGINE_DEAD', 'the engine', 'is dead: this V8 fuses vectors to something else; a new process and another `simd` than "wide" are needed');
}
