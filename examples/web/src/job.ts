// What the page is busy with: one thing at a time, with a bar, that can be cancelled at any moment.

import type { LongCallOptions, Progress } from 'longformer-wasm';
import { byId } from './elements';
import { Pace } from './pace';

const STAGES: Record<Progress['stage'], string> = {
  download: 'Fetching the model', load: 'Loading the model', tokenize: 'Cutting into tokens', forward: 'Reading', save: 'Saving',
};

let running: AbortController | null = null;

export interface Job {
  readonly signal: AbortSignal;
  /** For every call of the library that takes long. */
  readonly options: LongCallOptions;
  /** What is said until progress says more. */
  say(what: string): void;
  /** How fast it goes. */
  readonly pace: Pace;
  /** So many layers does the model have that reads. */
  expectLayers(numLayers: number): void;
}

/**
 * Runs `work`, which takes the place of what still runs. `undefined` where it was cancelled or failed:
 * that has been said by then.
 */
export async function run<Result>(what: string, work: (job: Job) => Promise<Result>): Promise<Result | undefined> {
  running?.abort();
  const control = running = new AbortController();
  const { signal } = control;
  let pace = new Pace(1);
  const onProgress = (progress: Progress): void => {
    if (signal.aborted) return;
    show(STAGES[progress.stage], pace.tell(progress), progress.total > 0 ? progress.done / progress.total : null);
  };
  showProblem(null);
  show(what, '', null);
  announce(what);
  try {
    const result = await work({
      signal, options: { signal, onProgress },
      get pace() { return pace; },
      say: (what) => !signal.aborted && show(what, '', null),
      expectLayers: (numLayers) => { pace = new Pace(numLayers); },
    });
    signal.throwIfAborted(); // it was done before it heard of that
    return result;
  } catch (error) {
    if (control !== running) return undefined; // something else has begun
    if (signal.aborted) announce('Cancelled.');
    else showProblem((error as Error).message);
    return undefined;
  } finally {
    if (control === running) {
      running = null;
      byId('job').hidden = true;
      document.body.removeAttribute('aria-busy');
      dispatchEvent(new CustomEvent('idle'));
    }
  }
}

/** What `loading` gives, unless the job was aborted meanwhile: then that is disposed of, as nobody else would. */
export async function unlessLate<Loaded extends { dispose(): Promise<void> }>(signal: AbortSignal, loading: Promise<Loaded>): Promise<Loaded> {
  const loaded = await loading;
  if (!signal.aborted) return loaded;
  await loaded.dispose();
  throw signal.reason;
}

export function cancel(): void {
  running?.abort();
}

/** Whether anything runs that could be cancelled. */
export const isBusy = (): boolean => running !== null;

/** Says something to who listens to the page. */
export function announce(words: string): void {
  byId('announce').textContent = words;
}

export function showProblem(message: string | null): void {
  const problem = byId('problem');
  problem.hidden = message === null;
  problem.textContent = message;
}

/** Share: null where it is not known. */
function show(what: string, detail: string, share: number | null): void {
  byId('job').hidden = false;
  document.body.setAttribute('aria-busy', 'true');
  byId('job-what').textContent = what;
  byId('job-detail').textContent = detail;
  const bar = byId<HTMLProgressElement>('job-bar');
  if (share === null) bar.removeAttribute('value');
  else bar.value = share;
}
