// How times are kept: with what they were taken on.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

export { inTurn, LONG, summaryOf, time, type Rounds, type Time } from './time.ts';

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

  /** The processor's name. */
  get cpu(): string {
    return this.results.cpu;
  }

  add(line: Line): void {
    const short = Object.entries(line).map(([key, value]) => [key, typeof value === 'number' ? round(value) : value]);
    this.results.lines.push(Object.fromEntries(short) as Line);
    const shown = (value: string | number): string | number => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value);
    console.log(`  ${line.what.padEnd(14)} ${short.slice(1).map(([key, value]) => `${key} ${shown(value!)}`).join('   ')}`);
  }

  /**
   * Lines of an earlier run of the same day stay, but for those whose key is that of a new one; none
   * where there are no keys. May be called again, when there are more.
   */
  async keep(key?: (line: Line) => string): Promise<void> {
    const folder = new URL('results/', import.meta.url);
    await mkdir(folder, { recursive: true });
    const { date, cpu, runtime } = this.results;
    const name = [date, cpu.replace(/\W+/g, '-'), runtime.replace(/\W+/g, '-'), this.name].join('_');
    const file = new URL(`${name}.json`, folder);
    const before = key ? await readFile(file, 'utf8').then((text) => (JSON.parse(text) as Results).lines, () => []) : [];
    const anew = new Set(this.results.lines.map((line) => key?.(line)));
    const lines = [...before.filter((line) => !anew.has(key!(line))), ...this.results.lines];
    await writeFile(file, `${JSON.stringify({ ...this.results, lines }, null, 1)}\n`);
  }
}
