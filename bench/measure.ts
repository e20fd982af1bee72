// How times are taken and kept: best and median of a few rounds, and what they were taken on.

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

export interface Time {
  /** Milliseconds. */
  best: number;
  median: number;
}

/** Times `work` after one round that is not counted, in which the engine compiles it. */
export async function time(work: () => unknown, rounds = 5): Promise<Time> {
  await work();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { best: times[0]!, median: times[rounds >> 1]! };
}

/** What a figure must be read with. */
export function machine(build: string): Record<string, unknown> {
  return { date: new Date().toISOString().slice(0, 10), cpu: cpus()[0]!.model.trim(), cores: cpus().length, runtime: `node ${process.versions.node}`, build };
}

/** Keeps the lines of a benchmark in bench/results. */
export async function keep(name: string, on: Record<string, unknown>, lines: Record<string, unknown>[]): Promise<void> {
  const folder = new URL('results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = [on['date'], String(on['cpu']).replace(/\W+/g, '-'), String(on['runtime']).replace(/\W+/g, '-'), name].join('_');
  await writeFile(new URL(`${file}.json`, folder), `${JSON.stringify({ ...on, lines }, null, 1)}\n`);
}
