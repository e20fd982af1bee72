// A line on a terminal that shows how far a long call is, how fast and how long it will be, and
// leaves nothing behind.

import type { Progress } from '../progress.ts';
import { count, printable, widthOf, type Terminal } from './terminal.ts';

const VERBS: Readonly<Record<Progress['stage'], string>> = {
  download: 'downloading', load: 'loading', tokenize: 'tokenizing', forward: 'reading', save: 'writing',
};

const WIDTH = 24;

/** Faster than this nobody sees. */
const MILLISECONDS_BETWEEN = 50;

/** Before this a rate would be a guess. */
const MILLISECONDS_OF_RATE = 500;

/** Where a stage began: what it counts from then on is its rate. */
interface Beginning {
  readonly at: number;
  readonly stage: string;
  readonly name: string | undefined;
  readonly total: number;
  readonly done: number;
}

/** Where the stream is no terminal it shows nothing. */
export class ProgressBar {
  private shownAt = -Infinity;
  private beginning: Beginning | null = null;
  private readonly onExit = (): void => this.clear(); // Ctrl-C may end in it

  /** `now`: milliseconds. */
  constructor(private readonly terminal: Terminal, private readonly now: () => number = () => performance.now()) {
    process.on('exit', this.onExit);
  }

  show(progress: Progress): void {
    const { stage, name, done, total, unit } = progress;
    const now = this.now();
    const beginning = this.begin(progress, now);
    if (!this.terminal.isTTY || (now - this.shownAt < MILLISECONDS_BETWEEN && done < total)) return;
    this.shownAt = now;
    const part = total === 0 ? 1 : done / total;
    const bar = '█'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '░');
    const amount = unit === 'bytes' ? bytes(done, total) : `${count(done)} of ${count(total)} ${unit}`;
    const parts = [`${VERBS[stage]} ${bar} ${String(Math.floor(part * 100)).padStart(3)}%`, amount, speed(beginning, progress, now), printable(name ?? '').replaceAll('\n', ' ')];
    this.terminal.write(`\r${fitting(parts.filter((one) => one !== '').join('  '), (this.terminal.columns || 80) - 1)}\x1b[K`);
  }

  /** Takes the line away. The next `show` brings it back. */
  clear(): void {
    if (this.shownAt > -Infinity) this.terminal.write('\r\x1b[K');
    this.shownAt = -Infinity;
  }

  /** The same for good. */
  end(): void {
    this.clear();
    process.off('exit', this.onExit);
  }

  /** Names change inside of a stage that counts on; files are downloaded one by one. */
  private begin({ stage, name, done, total }: Progress, now: number): Beginning {
    const same = this.beginning !== null && this.beginning.stage === stage && this.beginning.total === total
      && this.beginning.done <= done && (stage !== 'download' || this.beginning.name === name);
    if (!same) this.beginning = { at: now, stage, name, total, done };
    return this.beginning!;
  }
}

/** `12 MB/s  0:41 left`, or nothing yet. */
function speed(beginning: Beginning, { done, total, unit }: Progress, now: number): string {
  const seconds = (now - beginning.at) / 1000;
  const rate = (done - beginning.done) / seconds;
  if (seconds * 1000 < MILLISECONDS_OF_RATE || !(rate > 0)) return '';
  const each = unit === 'bytes' ? (rate < 1e6 ? `${count(rate / 1e3)} kB` : `${count(rate / 1e6)} MB`)
    : `${rate < 10 ? rate.toFixed(1) : count(rate)} ${unit}`;
  return `${each}/s${done < total ? `  ${duration((total - done) / rate)} left` : ''}`;
}

/** `0:07`, `12:30`, `1:02:00` */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}

function bytes(done: number, total: number): string {
  return total < 1e6 ? `${count(done / 1e3)} of ${count(total / 1e3)} kB` : `${count(done / 1e6)} of ${count(total / 1e6)} MB`;
}

/** The beginning of a line, in so many columns. */
function fitting(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let fits = '';
  for (const character of line) {
    if (widthOf(fits + character) > columns) break;
    fits += character;
  }
  return fits;
}
