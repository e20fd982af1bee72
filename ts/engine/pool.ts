// A pool worker: waits for the engine's memory, then is a thread of the pool as long as that lives.

import { messageFrom, type Parent } from '../platform/parent.ts';
import { loadGlue } from './glue.ts';
import { interruptions } from './interruption.ts';
import type { FromWorker, PoolStart } from './protocol.ts';

export async function joinPool({ module, port, control }: PoolStart, parent: Parent): Promise<void> {
  const [instantiate, { memory }] = await Promise.all([loadGlue(true), messageFrom<{ memory: WebAssembly.Memory }>(port)]);
  const wasm = instantiate(module, memory);
  wasm.askBetweenUnits(interruptions(control));
  parent.post({ type: 'ready' } satisfies FromWorker); // before a call that lasts
  wasm.becomePoolThread();
  parent.post({ type: 'left' } satisfies FromWorker);
}
