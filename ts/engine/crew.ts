// Where an engine computes, as its caller sees it: a worker with its pool, or the caller's own thread.
//
//     caller's thread ──starts──▶ engine's worker   owns the memory, is thread 0 of the pool
//                     └─starts──▶ pool workers      the other threads, over the same memory
//
// Workers never start workers: one that is blocked in WebAssembly cannot hear its child die. And
// the memory is born in the engine's worker and never comes here: a caller that held it would keep
// it from being given back.

import { LongformerError } from '../errors.ts';
import { endsWaitingWorkers } from '../platform/runtime.ts';
import { startThread, type Thread } from '../platform/thread.ts';
import { nextTurn } from '../platform/turn.ts';
import type { Host } from './host.ts';
import {
  fromMessage, type EngineStart, type FromEngine, type FromWorker, type PoolStart, type Ready, type ToEngine,
} from './protocol.ts';

/** What is heard of a crew. */
export interface CrewEvents {
  /** All of it runs. */
  onReady(ready: Ready): void;
  onMessage(message: Exclude<FromEngine, FromWorker | Ready>): void;
  /** One of it cannot start, or is dead; the others are to be ended. May come more than once. */
  onDeath(error: LongformerError): void;
}

/** What an engine posts to, and ends. */
export type Crew = Thread;

/** What a crew computes with. */
export type CrewStart = Omit<EngineStart, 'type' | 'poolPorts'>;

/** How long a pool is waited for that is to end by itself. */
const LEAVE_MILLISECONDS = 1000;

/** Starts the engine's worker and its pool. `url`: their file, the package's own by default. */
export function startWorkers(start: CrewStart, url: URL | undefined, { onReady, onMessage, onDeath }: CrewEvents): Crew {
  let starting = start.threads;
  let ready: Ready;
  let inPool = start.threads - 1;
  let poolLeft = (): void => {};
  const died = (why: string): void => onDeath(dead(why));
  const onWorkerMessage = (message: FromWorker | FromEngine): void => {
    if (message.type === 'ready') {
      if ('memoryBytes' in message) ready = message;
      starting -= 1;
      if (starting > 0) return;
      for (const each of all) each.unref(); // their listeners are all there
      onReady(ready);
    } else if (message.type === 'left') {
      inPool -= 1;
      if (inPool === 0) poolLeft();
    } else if (message.type === 'refused') onDeath(fromMessage(message.error));
    else if (message.type === 'dead') died(message.why);
    else onMessage(message);
  };
  const channels = Array.from({ length: start.threads - 1 }, () => new MessageChannel());
  const poolPorts = channels.map(({ port1 }) => port1);
  const events = { onMessage: onWorkerMessage, onDeath: died };
  const engine = startThread(url, events);
  const pool = channels.map(() => startThread(url, events));
  const all = [engine, ...pool];
  for (const [i, { port2: port }] of channels.entries()) {
    pool[i]!.post({ type: 'pool', module: start.module, port, control: start.control } satisfies PoolStart, [port]);
  }
  engine.post({ type: 'engine', ...start, poolPorts } satisfies EngineStart, poolPorts);
  return {
    post: engine.post,
    ref: engine.ref,
    unref: engine.unref,
    async terminate() {
      if (inPool > 0 && starting === 0 && !endsWaitingWorkers()) await leave();
      await Promise.all(all.map((each) => each.terminate()));
    },
  };

  /** What runs is aborted, and the pool's workers come out of WebAssembly. */
  function leave(): Promise<void> {
    const { control } = start;
    if (control !== null) Atomics.store(control, 0, Atomics.load(control, 1));
    engine.post({ type: 'end' } satisfies ToEngine);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LEAVE_MILLISECONDS); // a thread that is stuck, or dead
      poolLeft = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Computes in this thread, a turn of the event loop later: what is posted is not copied, what comes back is. */
export function startHere(start: CrewStart, { onReady, onMessage, onDeath }: CrewEvents): Crew {
  let host: Host | null = null;
  let isEnded = false;
  const send = (message: FromEngine, transfer: ArrayBuffer[] = []): void => {
    if (isEnded) return;
    if (message.type === 'dead') onDeath(dead(message.why));
    else if (message.type !== 'ready' && message.type !== 'refused') onMessage(structuredClone(message, { transfer }) as typeof message);
  };
  const begin = async (): Promise<void> => {
    const { startHost } = await import('./host.ts');
    const started = await startHost({ type: 'engine', ...start, poolPorts: [] }, send);
    if (isEnded) return started.end();
    host = started;
    onReady(started.ready);
  };
  begin().catch((error: Error) => onDeath(error instanceof LongformerError ? error : dead(`it cannot start: ${error.message}`)));
  return {
    post(message) {
      if ((message as ToEngine).type !== 'call') host?.receive(message as ToEngine);
      else void nextTurn().then(() => host?.receive(message as ToEngine));
    },
    ref() {},
    unref() {},
    async terminate() {
      isEnded = true;
      host?.end();
      host = null;
    },
  };
}

function dead(why: string): LongformerError {
  return new LongformerError('ENGINE_DEAD', 'the engine', `is dead: ${why}`);
}
