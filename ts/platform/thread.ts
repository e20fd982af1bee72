// Workers as their starter sees them: the same over `node:worker_threads` (Node, Deno, Bun) and Web
// Workers. The other end is parent.ts.

import { LongformerError } from '../errors.ts';
import { builtin } from './node.ts';

/** What a thread of ours can be told. */
export interface Thread {
  post(message: unknown, transfer?: Transferable[]): void;
  /** The process lives while it runs. Browsers have no such thing. */
  ref(): void;
  unref(): void;
  terminate(): Promise<void>;
}

/** What is heard of it. */
export interface ThreadEvents {
  onMessage(message: never): void;
  /** It failed or ended, also by `terminate`. May come more than once. */
  onDeath(why: string): void;
}

/** Whether workers can be started here; service workers, for one, cannot. */
export function startsWorkers(): boolean {
  return builtin('node:worker_threads') !== undefined || typeof Worker === 'function';
}

/** Starts a worker. `url`: its file, the package's own by default. */
export function startThread(url: URL | undefined, events: ThreadEvents): Thread {
  const threads = builtin('node:worker_threads');
  return threads === undefined ? startWebWorker(url, events) : startNodeWorker(threads, url, events);
}

function startNodeWorker(
  threads: typeof import('node:worker_threads'), url: URL | undefined, { onMessage, onDeath }: ThreadEvents,
): Thread {
  // Not in the words in which a bundler finds a worker: that is for browsers, below.
  const here = import.meta.url;
  // Without the caller's own flags: a loader that it was started with means nothing to a worker. The
  // environment is the caller's as it is at any time: it says where the Hub and its cache are.
  const worker = made(() => new threads.Worker(url ?? new URL('../engine/worker.js', here), { execArgv: [], env: threads.SHARE_ENV }));
  worker.on('message', onMessage as (message: unknown) => void);
  worker.on('error', (error) => onDeath(`a worker failed: ${error.message}`));
  worker.on('messageerror', (error) => onDeath(`a worker sent what cannot be read: ${error.message}`));
  worker.on('exit', (code) => onDeath(`a worker ended with code ${code}`));
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as never[]),
    // Adding a listener takes the worker into account again: `unref` is for when all are there.
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: async () => { await worker.terminate(); },
  };
}

/** Its address may be of another origin or of no file, or against the page's content security policy. */
function made<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new LongformerError('ENGINE_DEAD', 'the engine', `is dead: a worker cannot be started: ${(cause as Error).message}`, { cause });
  }
}

/** Those that run: Firefox ends a worker that nobody refers to. */
const running = new Set<Worker>();

function startWebWorker(url: URL | undefined, { onMessage, onDeath }: ThreadEvents): Thread {
  // Bundlers look for this very expression.
  const make = (): Worker => url === undefined
    ? new Worker(new URL('../engine/worker.js', import.meta.url), { type: 'module' })
    : new Worker(url, { type: 'module' });
  const worker = made(make);
  running.add(worker);
  worker.onmessage = ({ data }) => (onMessage as (message: unknown) => void)(data);
  worker.onerror = (event) => {
    event.preventDefault(); // it is told to whoever waits, not to the page
    onDeath(`a worker failed: ${event.message || 'its file cannot be loaded'}`);
  };
  worker.onmessageerror = () => onDeath('a worker sent what cannot be read');
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    ref() {},
    unref() {},
    async terminate() {
      running.delete(worker);
      worker.terminate();
    },
  };
}
