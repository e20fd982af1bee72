// The best spans of a text, by where each token is the start of an answer and where the end:
//
//     score(i, j) = start[i] * end[j]        i <= j < i + maxTokens
//
// There are length * maxTokens of them, and all would be too many to look at. The best end for each
// start is a maximum over a window that slides along the text, found in one pass. The best `count`
// spans begin at the `count` starts whose best spans are best: every span of another start comes
// behind all of these. So only the spans of those are looked at.

/** A span of tokens: the first, the last, and how probable it is. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly score: number;
}

/**
 * The best `count` spans of at most `maxTokens` tokens, the best first; of equal ones the first in the
 * text, then the shortest. `start` and `end` have a number from 0 for each token.
 */
export function bestSpans(start: Float64Array, end: Float64Array, maxTokens: number, count: number): Span[] {
  const bestOfEachStart = new Ranking(count);
  const bestEnds = windowMaxima(end, maxTokens);
  for (let i = 0; i < start.length; i++) {
    const last = bestEnds[i]!;
    bestOfEachStart.add(i, last, start[i]! * end[last]!);
  }
  const best = new Ranking(count);
  for (const { first } of bestOfEachStart.spans) {
    const stop = Math.min(first + maxTokens, end.length);
    for (let last = first; last < stop; last++) best.add(first, last, start[first]! * end[last]!);
  }
  return best.spans;
}

/** For each `i` where `values` has its maximum from `i` to before `i + width`; of equal ones the first. */
function windowMaxima(values: Float64Array, width: number): Uint32Array {
  const maxima = new Uint32Array(values.length);
  // From the end to the start, as the window looks ahead. What lies behind a larger or equal value can
  // never be the maximum again, so places wait in descending order of their values.
  const waiting = new Uint32Array(values.length);
  let [oldest, newest] = [0, -1];
  for (let i = values.length - 1; i >= 0; i--) {
    while (newest >= oldest && values[waiting[newest]!]! <= values[i]!) newest--;
    waiting[++newest] = i;
    if (waiting[oldest]! >= i + width) oldest++;
    maxima[i] = waiting[oldest]!;
  }
  return maxima;
}

/** The best spans so far, in order, up to a number of them. */
class Ranking {
  readonly spans: Span[] = [];

  constructor(private readonly count: number) {}

  add(first: number, last: number, score: number): void {
    const { spans, count } = this;
    if (spans.length === count && !comesBefore({ first, last, score }, spans[count - 1]!)) return;
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comesBefore({ first, last, score }, spans[middle]!)) high = middle;
      else low = middle + 1;
    }
    spans.splice(low, 0, { first, last, score });
    if (spans.length > count) spans.pop();
  }
}

function comesBefore(a: Span, b: Span): boolean {
  if (a.score !== b.score) return a.score > b.score;
  return a.first !== b.first ? a.first < b.first : a.last < b.last;
}
