// An instance of a build, with wasm-bindgen's glue around it. The glue is the same for both kinds
// of vector instructions.

export type { Wasm } from '../../pkg/glue/threads.js';
import type { Wasm } from '../../pkg/glue/threads.js';

/** What makes instances: each with a state of its own, so that a thread may have several. */
export async function loadGlue(threads: boolean): Promise<(module: WebAssembly.Module, memory: WebAssembly.Memory) => Wasm> {
  const { instantiate } = threads ? await import('../../pkg/glue/threads.js') : await import('../../pkg/glue/single.js');
  return instantiate;
}
