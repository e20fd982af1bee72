// Results as they are kept, and what sections of pages take from them.

import { readdirSync, readFileSync } from 'node:fs';
import type { Line, Results } from './measure.ts';

/** The newest results of a benchmark. */
export function newest(name: string, folder: URL): Results {
  return newestOfEach(name, folder)[0]!;
}

/** The newest of each processor, the newest of all first. */
export function newestOfEach(name: string, folder: URL): Results[] {
  const files = readdirSync(folder).filter((each) => each.endsWith(`_${name}.json`)).sort().reverse(); // by their dates
  if (files.length === 0) throw new Error(`bench/results must have results of ${name}`);
  const all = files.map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Results);
  return all.filter(({ cpu }, i) => all.findIndex((each) => each.cpu === cpu) === i);
}

/** The lines of one kind, with these values. */
export const linesOf = (results: Results, what: string, more: Partial<Line> = {}): Line[] =>
  results.lines.filter((line) => line.what === what && Object.entries(more).every(([key, value]) => line[key] === value));

/** NaN where there is none. */
export const number = (line: Line | undefined, key: string): number => Number(line?.[key] ?? NaN);

/** A table whose first row are the heads; the first columns, `words` of them, are words. */
export function table(rows: readonly (readonly string[])[], words = 0): string {
  const [heads] = rows as [readonly string[]];
  return [heads, heads.map((_, i) => (i < words ? '--' : '--:')), ...rows.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
