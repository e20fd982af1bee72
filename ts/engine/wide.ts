// 256 bits: V8 can fuse neighbouring vectors of 128 bits into one twice as long, if a flag tells it to.
// The flag is experimental and of the whole process, so nobody gets it who did not ask for it; and what
// V8 makes of the kernels is tried before an engine relies on it.

import { LongformerError } from '../errors.ts';
import { builtin } from '../platform/node.ts';
import { runtimeName } from '../platform/runtime.ts';
import { nextTurn } from '../platform/turn.ts';
import type { Wasm } from './glue.ts';

/** What became of the wish for 256 bits. */
export interface Wide { isOn: boolean; reason: string }

const FLAG = 'experimental-wasm-revectorize';

/** V8 of Node 22 knows the flag, and does nothing. */
const FIRST_NODE = 24;

/** V8 compiles a function well behind some milliseconds of calls, in a thread of its own. */
const TRIAL_MILLISECONDS = 300;
/** Products between two looks at the clock, some tenths of a millisecond. */
const TIMES = 100;
/** Rounds in which neither way may have got faster. */
const ROUNDS = 5;

/** Calls of all other kernels, until the last of them is compiled well, and between two looks at the event loop. */
const OTHERS = 2000;
const OTHERS_AT_ONCE = 50;

/** Engines of this process that rely on the flag, or may yet. */
let relying = 0;

/** Makes V8 fuse vectors in what this process compiles from now on. Returns why it cannot, or null. */
export function askForFusedVectors(): string | null {
  const { process } = globalThis as { process?: { arch?: string } };
  const [name, version = ''] = runtimeName().split(' ');
  if (name !== 'node' || parseInt(version) < FIRST_NODE || process?.arch !== 'x64') return `it takes Node ${FIRST_NODE} or newer on x64`;
  relying += 1;
  builtin('node:v8')!.setFlagsFromString(`--${FLAG}`);
  return null;
}

/** Takes that back for an engine that does not rely on it. */
export function withdrawFusedVectors(): void {
  relying -= 1;
  if (relying === 0) builtin('node:v8')!.setFlagsFromString(`--no-${FLAG}`);
}

/**
 * Tries products over two panels at a time, and takes them if they are faster: V8 has fused their vectors then.
 * Rejects with `ENGINE_DEAD` where fused vectors compute something else.
 */
export async function tryWide(wasm: Wasm): Promise<Wide> {
  const trial = new wasm.WideTrial();
  try {
    // By code that is not optimised yet, unless this process has had such an engine before.
    const [product, others] = [trial.product(false, 1), trial.others(1)];
    const time = (two: boolean): number => {
      const start = performance.now();
      if (trial.product(two, TIMES) !== product) throw fusedWrongly();
      return performance.now() - start;
    };
    const best = [Infinity, Infinity];
    const deadline = performance.now() + TRIAL_MILLISECONDS;
    for (let same = 0; same < ROUNDS && performance.now() < deadline; await nextTurn()) {
      const times = [time(true), time(false)];
      same = times.some((milliseconds, i) => milliseconds < 0.9 * best[i]!) ? 0 : same + 1;
      for (const [i, milliseconds] of times.entries()) best[i] = Math.min(best[i]!, milliseconds);
    }
    const isOn = best[0]! < 0.9 * best[1]!;
    wasm.takeTwoPanels(isOn);
    for (let calls = 0; isOn && calls < OTHERS; calls += OTHERS_AT_ONCE, await nextTurn()) {
      if (trial.others(OTHERS_AT_ONCE) !== others) throw fusedWrongly();
    }
    return { isOn, reason: isOn ? 'wide: pairs of vectors are fused to 256 bits' : 'not wide: two panels at a time are no faster than one' };
  } finally {
    trial.free();
  }
}

function fusedWrongly(): LongformerError {
  return new LongformerError('ENGINE_DEAD', 'the engine', 'is dead: this V8 fuses vectors to something else; a new process and another `simd` than "wide" are needed');
}
