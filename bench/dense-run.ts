// `dense-run.ts TOKENS THREADS`: dense attention of one length in onnxruntime-web, in this process
// alone, which its failures may end. Prints one line of JSON.

import { assertClose } from '../test/close.ts';
import { definition, vectors } from '../test/definition.ts';
import { HEAD_DIM, HEADS, random } from './kernel.ts';
import { LONG, time } from './measure.ts';
import { denseAttention } from './onnx.ts';

/** What of onnxruntime-web is used; the lints run without it. */
interface Ort {
  env: { wasm: { numThreads: number } };
  InferenceSession: { create(model: Uint8Array, options: object): Promise<{ run(feeds: Record<string, unknown>): Promise<{ context: OrtTensor }> }> };
  Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => OrtTensor;
}
interface OrtTensor { data: Float32Array; dispose(): void }

const [seqLen, threads] = process.argv.slice(2).map(Number) as [number, number];

// Its memory is not to be had from outside, so it is caught where it is made.
let memory: WebAssembly.Memory | undefined;
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memory = this;
  }
};
const ort = (await import(new URL('node_modules/onnxruntime-web/dist/ort.node.min.mjs', import.meta.url).href)) as Ort;
ort.env.wasm.numThreads = threads;
const session = await ort.InferenceSession.create(denseAttention(HEADS, HEAD_DIM), { executionProviders: ['wasm'] });
const tensor = (data: Float32Array): OrtTensor => new ort.Tensor('float32', data, [1, HEADS, data.length / HEADS / HEAD_DIM, HEAD_DIM]);

await verify();
const feeds = { query: tensor(random(seqLen, 1)), key: tensor(random(seqLen, 2)), value: tensor(random(seqLen, 3)) };
const taken = await time(async () => (await session.run(feeds)).context.dispose(), seqLen >= 8192 ? LONG : {});
console.log(JSON.stringify({ ...taken, memory: memory!.buffer.byteLength, process: process.resourceUsage().maxRSS * 1024 }));
process.exit(); // its threads would keep it alive

async function verify(): Promise<void> {
  const seqLen = 50;
  const input = vectors(seqLen, HEADS, HEAD_DIM, 1, false);
  const { context } = await session.run({ query: tensor(byHead(input.query)), key: tensor(byHead(input.key)), value: tensor(byHead(input.value)) });
  const everyKey = { oneSidedWindow: seqLen, dilation: Array<number>(HEADS).fill(1), causal: false, globalTokens: [], masked: [] };
  assertClose(context.data, byHead(Float32Array.from(definition(input, everyKey))), 4e-6, 'dense attention');
}

/** `[tokens, heads, headDim]` as `[heads, tokens, headDim]`. */
function byHead(data: Float32Array): Float32Array {
  const tokens = data.length / HEADS / HEAD_DIM;
  const result = new Float32Array(data.length);
  for (let token = 0; token < tokens; token++) {
    for (let head = 0; head < HEADS; head++) {
      const from = (token * HEADS + head) * HEAD_DIM;
      result.set(data.subarray(from, from + HEAD_DIM), (head * tokens + token) * HEAD_DIM);
    }
  }
  return result;
}
