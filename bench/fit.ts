// What a row of times says: how far from level it is, how far from a straight line.

/** Largest over smallest, in % above 1. */
export function spread(values: readonly number[]): number {
  return 100 * (Math.max(...values) / Math.min(...values) - 1);
}

export interface Line {
  /** At x = 0. */
  a: number;
  b: number;
  /** Largest distance of a point from the line, in % of the line. */
  deviation: number;
}

/** The line a + b x with the least squares of relative distances: a small time counts as much as a large one. */
export function line(points: readonly (readonly [x: number, y: number])[]): Line {
  const sum = (of: (x: number, y: number) => number): number => points.reduce((total, [x, y]) => total + of(x, y) / (y * y), 0);
  const [one, xs, ys, xx, xy] = [sum(() => 1), sum((x) => x), sum((_, y) => y), sum((x) => x * x), sum((x, y) => x * y)];
  const b = (one * xy - xs * ys) / (one * xx - xs * xs);
  const a = (ys - b * xs) / one;
  return { a, b, deviation: Math.max(...points.map(([x, y]) => 100 * Math.abs(y / (a + b * x) - 1))) };
}
