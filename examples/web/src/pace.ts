// What progress means to who waits: how fast it goes, what is left, in which layer it is.

import type { Progress } from 'longformer-wasm';
import { bytes, count, duration } from './words';

export class Pace {
  #stage = '';
  #began = 0;
  #start = 0;
  #last = 0;
  #lastDone = 0;
  #layers = 0;
  /** Milliseconds and tokens of every layer that was heard of. */
  #spent = 0;
  #passed = 0;

  /** `numLayers`: of the model; each of its layers tells when it is done. */
  constructor(readonly numLayers: number) {}

  /** The line for a bar. */
  tell({ stage, name, done, total, unit }: Progress): string {
    const now = performance.now();
    if (stage !== this.#stage) [this.#stage, this.#began, this.#start, this.#layers] = [stage, now, done, 0];
    else if (stage === 'forward') {
      this.#layers++;
      this.#spent += now - this.#last;
      this.#passed += (done - this.#lastDone) * this.numLayers;
    }
    [this.#last, this.#lastDone] = [now, done];
    const rate = (done - this.#start) / (now - this.#began);
    const left = rate > 0 && done < total && now - this.#began > 500 ? `${duration((total - done) / rate)} left` : '';
    const parts = unit === 'bytes' ? [name ?? '', total > 0 ? `${bytes(done)} of ${bytes(total)}` : bytes(done), left]
      : stage === 'forward' ? [
        `layer ${this.#layers % this.numLayers + 1} of ${this.numLayers}`, `${count(done)} of ${count(total)} tokens`,
        rate > 0 && now - this.#began > 500 ? `${count(rate * 1000)} tokens/s` : '', left,
      ] : [`${count(done)} of ${count(total)} ${unit}`];
    return parts.filter((part) => part !== '').join(' · ');
  }

  /** Milliseconds that a layer takes for a thousand tokens, or null before it is known. */
  get perLayer(): number | null {
    return this.#passed > 0 ? this.#spent / this.#passed * 1000 : null;
  }

  /** Tokens that went through all layers, for each second of it. */
  get tokensPerSecond(): number | null {
    return this.#spent > 0 ? this.#passed / this.numLayers / this.#spent * 1000 : null;
  }
}
