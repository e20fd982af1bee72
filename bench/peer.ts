// A model in a process of its own, asked in lines of JSON. While others are in turn it is stopped, so
// that no thread of it spins, and no collector of it runs, beside what is measured.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Ready {
  build: string;
  runtime: string;
  loadSeconds: number;
  spawnSeconds?: number;
  weightBytes?: number;
}

export interface Answer {
  seconds: number;
  /** Of the WebAssembly memory, where there is one. */
  memoryBytes?: number;
  flops?: number;
}

const FIRST_TOKENS = 16;

/** What ended a peer, in its own words. */
export class PeerFailure extends Error {}

export class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';
  /** Resident behind a pass of some tokens, in which weights are read that a file was mapped for; 0 where the system does not say. */
  idleBytes = 0;

  constructor(program: string, args: readonly string[], private readonly limitMs: number) {
    this.#child = spawn(program, args, { cwd: new URL('..', import.meta.url), stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.#child.stderr!.on('data', (data: Buffer) => { this.#errors = (this.#errors + data.toString()).slice(-10_000); });
    this.#child.stdin!.on('error', () => {}); // what ended it is told by what it said
  }

  async ready(): Promise<Ready> {
    const ready = await this.#next<Ready>();
    this.#child.kill('SIGSTOP');
    return ready;
  }

  /** A first pass, behind which `idleBytes` is known. */
  async settle(): Promise<void> {
    await this.run(FIRST_TOKENS);
    this.idleBytes = this.#status('VmRSS');
  }

  /** One pass over `tokens` tokens; the hidden states go into the file `output`. */
  async run(tokens: number, output?: string): Promise<Answer> {
    this.#child.kill('SIGCONT');
    this.#child.stdin!.write(`${JSON.stringify({ tokens, output })}\n`);
    const answer = await this.#next<Answer>();
    this.#child.kill('SIGSTOP');
    return answer;
  }

  /** The most that was resident since `forgetPeak`. */
  get peakBytes(): number {
    return this.#status('VmHWM');
  }

  forgetPeak(): void {
    try {
      writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5');
    } catch {
      // not on Linux
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #status(what: string): number {
    try {
      const [, kilobytes] = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))!;
      return Number(kilobytes) * 1024;
    } catch {
      return 0;
    }
  }

  /** The next line of JSON; whatever else a library prints is passed over. */
  async #next<Said>(): Promise<Said> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new PeerFailure(`took more than ${this.limitMs / 1000} s`)), this.limitMs);
    });
    try {
      for (;;) {
        const { value, done } = await Promise.race([this.#lines.next(), late]);
        if (done) throw new PeerFailure(this.#lastWords());
        if (!value.startsWith('{')) continue;
        const said = JSON.parse(value) as Said & { error?: string };
        if (said.error !== undefined) throw new PeerFailure(said.error);
        return said;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #lastWords(): string {
    const said = this.#errors.split('\n').filter((line) => /Error|bad_alloc|abort/i.test(line)).at(-1)?.trim();
    return said ?? `was ended by ${this.#child.signalCode ?? `code ${this.#child.exitCode}`}`;
  }
}
