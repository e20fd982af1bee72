// `product-ort-web.ts KIND ROWS COLS DEPTH THREADS`: a product in onnxruntime-web, in a process of its
// own. Prints one line of JSON.

import { matMul } from './onnx.ts';
import { numbers, verify } from './products.ts';

interface Ort {
  env: { wasm: { numThreads: number }; versions: { web: string } };
  InferenceSession: { create(model: Uint8Array, options: object): Promise<{ run(feeds: object): Promise<{ y: { data: Float32Array; dispose(): void } }> }> };
  Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => object;
}

const [kind, ...sizes] = process.argv.slice(2) as ['f32' | 'q8', ...string[]];
const [rows, cols, depth, threads] = sizes.map(Number) as [number, number, number, number];
const [x, weight] = [numbers(rows * depth, 1), numbers(cols * depth, 2)];
const transposed = Float32Array.from({ length: depth * cols }, (_, i) => weight[(i % cols) * depth + Math.floor(i / cols)]!);
const bytes = kind === 'f32' ? new Uint8Array(transposed.buffer) : new Uint8Array(Int8Array.from(transposed, (value) => Math.round(value * 127)).buffer);

const ort = (await import(new URL('node_modules/onnxruntime-web/dist/ort.node.min.mjs', import.meta.url).href)) as Ort;
ort.env.wasm.numThreads = threads;
const session = await ort.InferenceSession.create(matMul(kind, depth, cols, bytes), { executionProviders: ['wasm'] });
const feeds = { x: new ort.Tensor('float32', x, [rows, depth]) };
const { y } = await session.run(feeds);
verify(y.data, x, weight, [rows, cols, depth], kind === 'f32' ? 1e-5 : 0.02);

const milliseconds: number[] = [];
for (let begin = performance.now(), uncounted = 3; milliseconds.length < 9 || performance.now() - begin < 600; uncounted--) {
  const start = performance.now();
  (await session.run(feeds)).y.dispose();
  if (uncounted <= 0) milliseconds.push(performance.now() - start);
}
console.log(JSON.stringify({ milliseconds, version: ort.env.versions.web }));
process.exit(); // its threads would keep it alive
