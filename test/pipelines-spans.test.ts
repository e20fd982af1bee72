// The search for the best spans against its definition: all spans, sorted.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bestSpans, type Span } from '../dist/pipelines/spans.js';

const test = suite('best spans');

function definition(start: Float64Array, end: Float64Array, maxTokens: number, count: number): Span[] {
  const all: Span[] = [];
  for (let first = 0; first < start.length; first++) {
    for (let last = first; last < Math.min(end.length, first + maxTokens); last++) all.push({ first, last, score: start[first]! * end[last]! });
  }
  return all.sort((a, b) => b.score - a.score || a.first - b.first || a.last - b.last).slice(0, count);
}

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
}

for (const [name, kind] of [
  ['distinct scores', (next: () => number) => next()],
  ['many ties', (next: () => number) => Math.floor(next() * 3) / 2], // 0, 1/2 and 1
  ['all the same', () => 0.25],
  ['nothing', () => 0],
  ['a few peaks', (next: () => number) => Math.exp(40 * (next() - 1))],
] as const) {
  test(name, () => {
    const next = random(name.length);
    for (const length of [1, 2, 3, 15, 16, 60]) {
      const [start, end] = [Float64Array.from({ length }, () => kind(next)), Float64Array.from({ length }, () => kind(next))];
      for (const maxTokens of [1, 2, 7, 15, 60, 1000]) {
        for (const count of [1, 2, 12, 100, 5000]) {
          assert.equal(bestSpans(start, end, maxTokens, count), definition(start, end, maxTokens, count), `${length} tokens, ${maxTokens}, ${count}`);
        }
      }
    }
  });
}

test('values that rise and fall', () => {
  const length = 50;
  const rising = Float64Array.from({ length }, (_, i) => i + 1);
  const falling = rising.slice().reverse();
  for (const [start, end] of [[rising, rising], [rising, falling], [falling, rising]] as const) {
    assert.equal(bestSpans(start, end, 9, 20), definition(start, end, 9, 20));
  }
});

test('no tokens have no spans', () => {
  assert.equal(bestSpans(new Float64Array(), new Float64Array(), 15, 3), []);
});

test.run();
