// `peer-ort-web.ts FILE THREADS`: an ONNX model in onnxruntime-web, in a process of its own, which its
// failures may end. What it says: peer-ours.ts.

import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { idsOf } from './shapes.ts';

/** What of onnxruntime-web is used; the lints run without it. */
interface Ort {
  env: { wasm: { numThreads: number }; versions: { web: string } };
  InferenceSession: { create(model: ArrayBufferLike, options: object): Promise<{ run(feeds: object): Promise<{ last_hidden_state: { data: Float32Array; dispose(): void } }> }> };
  Tensor: new (type: 'int64', data: BigInt64Array, dims: number[]) => object;
}

const [file, threads] = process.argv.slice(2) as [string, string];
const say = (line: object): void => console.log(JSON.stringify(line));

// Its memory is not to be had from outside, so it is caught where it is made.
let memory: WebAssembly.Memory | undefined;
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memory = this;
  }
};
const begun = performance.now();
const ort = (await import(new URL('node_modules/onnxruntime-web/dist/ort.node.min.mjs', import.meta.url).href)) as Ort;
ort.env.wasm.numThreads = Number(threads);
const session = await ort.InferenceSession.create((await readFile(file)).buffer, { executionProviders: ['wasm'] });
say({ ready: true, build: `onnxruntime-web ${ort.env.versions.web}`, runtime: `node ${process.versions.node}`, loadSeconds: (performance.now() - begun) / 1000 });

for await (const line of createInterface({ input: process.stdin })) {
  const { tokens, output } = JSON.parse(line) as { tokens: number; output?: string };
  const ids = BigInt64Array.from(idsOf(tokens), BigInt);
  try {
    const start = performance.now();
    const { last_hidden_state: states } = await session.run({ input_ids: new ort.Tensor('int64', ids, [1, tokens]) });
    const seconds = (performance.now() - start) / 1000;
    if (output !== undefined) await writeFile(output, states.data);
    states.dispose();
    say({ seconds, memoryBytes: memory!.buffer.byteLength });
  } catch (error) {
    // The library's message names the file of its own source on its builder's disk.
    say({ error: String((error as Error)?.message ?? error).split('\n')[0]!.replace(/\S*\/onnxruntime\//g, 'onnxruntime/') });
  }
}
process.exit(); // its threads would keep it alive
