// How a long row of tokens is cut into windows that overlap.

/** Windows of at most `room` tokens, each starting `stride` tokens before the end of the one before it. `stride < room`. */
export function windowRanges(count: number, room: number, stride: number): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  let start = 0;
  for (;;) {
    const end = Math.min(start + room, count);
    ranges.push([start, end]);
    if (end === count) return ranges;
    start = end - stride;
  }
}
