// What the guide to speed shows of where the time of a pass goes: the newest figures of profile.ts.

import { linesOf, newest, number, table } from './newest.ts';
import { PARTS, REST } from './profile-parts.ts';
import type { Section } from './readme.ts';

export function profileSection(folder = new URL('results/', import.meta.url)): Section {
  const results = newest('profile', folder);
  const cases = linesOf(results, 'profile');
  const percent = (value: number): string => value.toFixed(1);
  const tokens = (line: (typeof cases)[number]): string => number(line, 'tokens').toLocaleString('en');
  const rows = [...new Set(PARTS.map(({ part }) => part)), REST].map((part) => [part, ...cases.map((line) => percent(number(line, part)))]);
  const rates = ['its products, G/s', ...cases.map((line) => number(line, 'products GFLOP/s').toFixed(0))];
  const seconds = ['seconds', ...cases.map((line) => Number((number(line, 'ms') / 1000).toPrecision(2)).toString())];
  const tiles = cases.map((line) => number(line, 'tile GFLOP/s'));
  const markdown = [
    table([['%', ...cases.map((line) => `${line['dtype']}, ${tokens(line)} tokens`)], ...rows, rates, seconds], 1),
    `A base model, ${results.cpu}, ${results.runtime}, ${results.build}, one thread, ${results.date}: samples of V8's profiler. The best tile of single precision whose operands lie in the first-level cache reached ${Math.min(...tiles).toFixed(0)} to ${Math.max(...tiles).toFixed(0)} GFLOP/s in these runs; products are linear layers and those of attention, a multiplication and an addition counted as two.`,
  ].join('\n\n');
  return { markdown, plots: {} };
}
