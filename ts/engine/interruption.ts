// When work in the crate stops between two of its units, each a millisecond or a few: where an abort
// says so, or where one may be waiting to be heard.

import { nextTurn } from '../platform/turn.ts';
import type { Interruption } from '../../pkg/threads-simd128/longformer.js';

/** How long work goes on before it lets messages in. One that comes at the wrong moment waits twice as long. */
const TURN_MILLISECONDS = 25;

/** What the crate asks between units, and services between steps. */
export interface Interruptions extends Interruption {
  /** Lets messages in where an abort is one, and it is time. */
  pause(): Promise<void>;
}

/**
 * Where memory is shared, an abort is a flag that every thread sees while it computes; else it is a
 * message, and work stops for messages to come in.
 *
 * @param control `[id of the call to abort, id of the call that runs]`
 */
export function interruptions(control: Int32Array | null): Interruptions {
  if (control === null) return new Turns();
  return { isWanted: () => Atomics.load(control, 0) === Atomics.load(control, 1), async pause() {} };
}

class Turns implements Interruptions {
  #began = performance.now();
  #asked = this.#began;
  #isOver = false;
  /** Whether anything was asked since messages came in: each call of an operation does one unit at least. */
  #isUnderWay = false;

  isWanted(): boolean {
    const now = performance.now();
    // The next unit may take as long as the last one.
    this.#isOver = this.#isUnderWay && now + (now - this.#asked) > this.#began + TURN_MILLISECONDS;
    this.#isUnderWay = true;
    this.#asked = now;
    return this.#isOver;
  }

  async pause(): Promise<void> {
    if (!this.#isOver && performance.now() - this.#began < TURN_MILLISECONDS) return;
    await nextTurn();
    this.#began = this.#asked = performance.now();
    this.#isOver = this.#isUnderWay = false;
  }
}
