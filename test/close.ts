// How closely numbers agree.

/** Throws, naming the worst element, unless every |actual - expected| is at most `tolerance`. */
export function assertClose(
  actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, not ${expected.length}`);
  }
  let worst = -1;
  let largest = tolerance;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= largest)) { // written so that NaN is caught, and kept
      worst = i;
      largest = Number.isNaN(error) ? Infinity : error;
    }
  }
  if (worst >= 0) {
    throw new Error(`${what}: [${worst}] is ${actual[worst]}, not ${expected[worst]} (off by ${largest}, allowed ${tolerance})`);
  }
}

/** The largest |actual - expected|. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(actual[i]! - expected[i]!));
  return largest;
}
