// How times are taken and kept: best and median of a few rounds, and what they were taken on.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

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

/** One figure or a few that belong together; `what` says which. */
export interface Line {
  what: string;
  [key: string]: string | number;
}

/** What figures must be read with. */
export interface Results {
  date: string;
  cpu: string;
  cores: number;
  runtime: string;
  build: string;
  lines: Line[];
}

/** To six digits; whole numbers stay. */
const round = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(6)));

/** The lines of one benchmark: printed as they come, kept in bench/results at the end. */
export class Report {
  private readonly results: Results;

  /** `build`: what was measured. */
  constructor(private readonly name: string, build: string) {
    this.results = {
      date: new Date().toISOString().slice(0, 10),
      cpu: cpus()[0]!.model.trim(),
      cores: cpus().length,
      runtime: `node ${process.versions.node}`,
      build,
      lines: [],
    };
    const { lines, ...on } = this.results;
    console.log(`\n${name}: ${Object.values(on).join(', ')}`);
  }

  add(line: Line): void {
    const short = Object.entries(line).map(([key, value]) => [key, typeof value === 'number' ? round(value) : value]);
    this.results.lines.push(Object.fromEntries(short) as Line);
    const shown = (value: string | number): string | number => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);
    console.log(`  ${line.what.padEnd(14)} ${short.slice(1).map(([key, value]) => `${key} ${shown(value!)}`).join('   ')}`);
  }

  /** `again`: which lines of an earlier run of the same day these replace; the others stay. All by default. */
  async keep(again: (line: Line) => boolean = () => true): Promise<void> {
    const folder = new URL('results/', import.meta.url);
    await mkdir(folder, { recursive: true });
    const { date, cpu, runtime } = this.results;
    const name = [date, cpu.replace(/\W+/g, '-'), runtime.replace(/\W+/g, '-'), this.name].join('_');
    const file = new URL(`${name}.json`, folder);
    const before = await readFile(file, 'utf8').then((text) => (JSON.parse(text) as Results).lines, () => []);
    const lines = [...before.filter((line) => !again(line)), ...this.results.lines];
    await writeFile(file, `${JSON.stringify({ ...this.results, lines }, null, 1)}\n`);
  }
}
