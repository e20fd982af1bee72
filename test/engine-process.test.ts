// An engine and the process that it runs in: who keeps whom alive, and what memory is left.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { createEngine } from 'longformer-wasm';
import { saysMemoryLacks } from '../dist/engine/lack-of-memory.js';
import { runProgram } from './program.ts';

const test = suite('engine and process');

test('a pending call keeps the process alive, an idle engine does not', async () => {
  const { stdout } = await runProgram(`
    import { createEngine } from 'longformer-wasm';
    const engine = await createEngine({ threads: 2 });
    const vectors = () => new Float32Array(4000 * 32).fill(1);
    const { dims } = await engine.attention({
      query: vectors(), key: vectors(), value: vectors(), seqLen: 4000, numHeads: 2, headDim: 16, oneSidedWindow: 500,
    });
    console.log('awaited', dims[0]);
  `);
  assert.is(stdout, 'awaited 4000\n');
});

test('memory comes back with dispose', async () => {
  if (process.platform !== 'linux') return;
  const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;
  const vectors = new Float32Array(100_000 * 32).fill(1);
  const cycle = async (): Promise<number> => {
    await using engine = await createEngine({ threads: 2 });
    await engine.attention({ // some 100 MB in the engine
      query: vectors, key: vectors, value: vectors, seqLen: 100_000, numHeads: 2, headDim: 16, oneSidedWindow: 8,
    });
    return resident();
  };
  await cycle();
  const before = resident();
  for (let i = 0; i < 8; i++) await cycle();
  assert.ok(resident() < before + 200, `${resident()} MB after 9 cycles, ${before} MB after the first`);
});

// Browsers refuse such a length before they look for memory, in other words.
test('of all RangeErrors only an allocation that failed says that memory lacks', () => {
  const thrown = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  assert.ok(saysMemoryLacks(thrown(() => new ArrayBuffer(Number.MAX_SAFE_INTEGER))));
  const endless = (): unknown => [endless()];
  for (const mistake of [endless, () => new DataView(new ArrayBuffer(2)).getInt32(0), () => 'x'.repeat(-1), () => new Float32Array(-1)]) {
    const error = thrown(mistake);
    assert.instance(error, RangeError);
    assert.not(saysMemoryLacks(error), String(error));
  }
});

test.run();
