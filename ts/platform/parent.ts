// The thread that started this worker, as the worker sees it; the other end of thread.ts.

import { builtin } from './node.ts';

export interface Parent {
  post(message: unknown, transfer?: Transferable[]): void;
  /** From now on messages go to `receive`. Those that came before the first call wait for it. */
  listen(receive: (message: never) => void): void;
}

/** To be called, and listened to, before the worker waits for anything: a message may be there already. */
export function connectToParent(): Parent {
  let receive: (message: never) => void = () => {};
  const listen: Parent['listen'] = (next) => { receive = next; };
  const scope = (builtin('node:worker_threads')?.parentPort ?? globalThis) as unknown as {
    onmessage: (event: MessageEvent) => void; postMessage: typeof postMessage;
  };
  // Not by `on('message')` of Node's ports, with which Deno 2.9 takes a second for each megabyte of a typed array.
  scope.onmessage = ({ data }) => receive(data as never);
  return { listen, post: (message, transfer = []) => scope.postMessage(message, { transfer }) };
}

/** The one message that comes through `port`. */
export function messageFrom<T>(port: MessagePort): Promise<T> {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => {
      port.close();
      resolve(data as T);
    };
  });
}
