// Where every worker begins, the engine's and those of its pool: one file, so that who moves or
// bundles it has one to name. What it becomes is the first thing that it is told.

import { LongformerError } from '../errors.ts';
import { connectToParent } from '../platform/parent.ts';
import { toMessage, type FromWorker, type ToEngine, type WorkerStart } from './protocol.ts';

const parent = connectToParent();

parent.listen((start: WorkerStart) => {
  become(start).catch((error: unknown) => {
    parent.post(error instanceof LongformerError
      ? { type: 'refused', error: toMessage(error) } satisfies FromWorker
      : { type: 'dead', why: `a worker failed: ${(error as Error).message}` } satisfies FromWorker);
  });
});

async function become(start: WorkerStart): Promise<void> {
  if (start.type === 'pool') {
    const { joinPool } = await import('./pool.ts');
    return joinPool(start, parent);
  }
  const { startHost } = await import('./host.ts');
  const host = await startHost(start, parent.post);
  parent.listen((message: ToEngine) => host.receive(message));
  parent.post(host.ready);
}
