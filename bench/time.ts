// Best and median of a few rounds, wherever this runs.

export interface Time {
  /** Milliseconds. */
  best: number;
  median: number;
}

export interface Rounds {
  rounds?: number;
  /** Rounds before those, which are not counted: the engine compiles in the first one. */
  uncounted?: number;
}

/** Work of more than some seconds: compiling is a small part of it, and the best round has none. */
export const LONG: Rounds = { rounds: 3, uncounted: 0 };

/**
 * Times each work in turn, round after round, so that a clock that drifts, or a neighbour on the
 * machine, meets all of them alike and leaves their ratios alone.
 */
export async function inTurn<Name extends string>(works: Record<Name, () => unknown>, { rounds = 5, uncounted = 1 }: Rounds = {}): Promise<Record<Name, Time>> {
  const names = Object.keys(works) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -uncounted; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now();
      await works[name]();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summaryOf(times[name])])) as Record<Name, Time>;
}

/** Of an odd number of times the middle one, of an even number the slower of the two in the middle. */
export function summaryOf(milliseconds: readonly number[]): Time {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  return { best: sorted[0]!, median: sorted[sorted.length >> 1]! };
}

export async function time(work: () => unknown, rounds?: Rounds): Promise<Time> {
  return (await inTurn({ work }, rounds)).work;
}
