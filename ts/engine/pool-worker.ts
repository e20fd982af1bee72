// A pool worker: waits for the engine's memory, then is a thread of the pool for good.

import { parentPort, workerData } from 'node:worker_threads';
import type { Wasm } from './builds.ts';
import type { PoolWorkerData } from './protocol.ts';

const { module, glue, port } = workerData as PoolWorkerData;
const wasm = (await import(glue)) as Wasm;
port.once('message', ({ memory }: { memory: WebAssembly.Memory }) => {
  wasm.initSync({ module, memory });
  parentPort!.postMessage('ready'); // before the call that does not return
  wasm.becomePoolThread();
});
