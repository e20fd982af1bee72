// What a ranking is worth, and how sure a difference between two is.

export interface Metrics {
  questions: number;
  /** Share of the questions with a right passage among the first 1, 5, 10. */
  'R@1': number;
  'R@5': number;
  'R@10': number;
  /** Mean of 1 / rank of the first right passage. */
  MRR: number;
}

/** From 1: the rank of the best of the `right` ones by descending score; of equal scores the first comes first. Infinity where it has none. */
export function rankOf(scores: ArrayLike<number>, right: readonly number[]): number {
  let best = right[0]!;
  for (const each of right) if (scores[each]! > scores[best]! || (scores[each] === scores[best] && each < best)) best = each;
  const score = scores[best]!;
  if (score === -Infinity) return Infinity;
  let rank = 1;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > score || (scores[i] === score && i < best)) rank++;
  return rank;
}

export function metricsOf(ranks: readonly number[]): Metrics {
  const within = (most: number): number => mean(ranks.map((rank) => Number(rank <= most)));
  return { questions: ranks.length, 'R@1': within(1), 'R@5': within(5), 'R@10': within(10), MRR: mean(ranks.map((rank) => 1 / rank)) };
}

/** A paired bootstrap: between which bounds the mean of `a[i] - b[i]` lies in 95 % of samples of the questions, drawn with replacement. */
export function interval(a: readonly number[], b: readonly number[], { samples = 10_000, seed = 1 } = {}): [low: number, high: number] {
  const differences = a.map((value, i) => value - b[i]!);
  const random = generator(seed);
  const means = Float64Array.from({ length: samples }, () => {
    let sum = 0;
    for (let i = 0; i < differences.length; i++) sum += differences[Math.floor(random() * differences.length)]!;
    return sum / differences.length;
  }).sort();
  return [means[Math.floor(samples * 0.025)]!, means[Math.ceil(samples * 0.975) - 1]!];
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** mulberry32: the same numbers from 0 to 1 everywhere. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
