// A line on a terminal that shows how far a long call is, and leaves nothing behind.

import type { Progress } from '../progress.ts';
import { count, printable, type Terminal } from './terminal.ts';

const VERBS: Readonly<Record<Progress['stage'], string>> = {
  download: 'downloading', load: 'loading', tokenize: 'tokenizing', forward: 'reading',
};

const WIDTH = 24;

/** Faster than this nobody sees. */
const MILLISECONDS_BETWEEN = 50;

/** Where the stream is no terminal it shows nothing. */
export class ProgressBar {
  private shownAt = -Infinity;

  constructor(private readonly terminal: Terminal) {
    process.on('exit', () => this.clear()); // Ctrl-C may end in it
  }

  show({ stage, name, done, total, unit }: Progress): void {
    const now = performance.now();
    if (!this.terminal.isTTY || (now - this.shownAt < MILLISECONDS_BETWEEN && done < total)) return;
    this.shownAt = now;
    const part = total === 0 ? 1 : done / total;
    const bar = '█'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '░');
    const amount = unit === 'bytes' ? bytes(done, total) : `${count(done)} of ${count(total)} ${unit}`;
    const line = `${VERBS[stage]} ${bar} ${String(Math.floor(part * 100)).padStart(3)}%  ${amount}  ${printable(name ?? '')}`;
    this.terminal.write(`\r${line.trimEnd().slice(0, (this.terminal.columns || 80) - 1)}\x1b[K`);
  }

  clear(): void {
    if (this.shownAt > -Infinity) this.terminal.write('\r\x1b[K');
    this.shownAt = -Infinity;
  }
}

function bytes(done: number, total: number): string {
  return total < 1e6 ? `${count(done / 1e3)} of ${count(total / 1e3)} kB` : `${count(done / 1e6)} of ${count(total / 1e6)} MB`;
}
