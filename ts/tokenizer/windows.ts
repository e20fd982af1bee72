// How a long row of tokens is cut into windows that overlap.

import { LongformerError } from '../errors.ts';

/** Windows of at most `room` tokens, each starting `stride` tokens before the end of the one before it. Throws `BAD_INPUT` unless `0 <= stride < room`: there would be no end. */
export function windowRanges(count: number, room: number, stride: number): [start: number, end: number][] {
  if (!(stride >= 0 && stride < room)) throw new LongformerError('BAD_INPUT', 'stride', `must be from 0 to below ${room}, got ${stride}`);
  const ranges: [number, number][] = [];
  let start = 0;
  for (;;) {
    const end = Math.min(start + room, count);
    ranges.push([start, end]);
    if (end === count) return ranges;
    start = end - stride;
  }
}
