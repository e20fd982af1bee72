// The attention operation against the original's kernel, written out, and Hugging Face's sliding chunks.

import { suite } from 'uvu';
import { readFile } from 'node:fs/promises';
import { createEngine, type AttentionInput, type Engine } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import { assertClose } from './close.ts';

interface Case {
  key: string;
  name: string;
  seqLen: number;
  headDim: number;
  /** Keys per side. */
  window: number;
  dilation: number[];
  causal?: boolean;
  globalTokens?: number[];
  masked?: number[];
}

const folder = new URL('./fixtures/attention/', import.meta.url);
const { cases } = JSON.parse(await readFile(new URL('cases.json', folder), 'utf8')) as { cases: Case[] };
const arrays = await openSafetensors((await (await openSource(folder)).open('arrays.safetensors'))!);

async function stored(name: string): Promise<Float32Array> {
  return new Float32Array((await arrays.read(name)).buffer);
}

/** Contexts are up to 3. PyTorch's own float32 result is off by up to 9.3e-7 here, this one by up to 1.4e-6. */
const TOLERANCE = 3e-6;

async function inputOf({ key, seqLen, headDim, window, dilation, causal, globalTokens, masked }: Case): Promise<AttentionInput> {
  const [query, key_, value] = await Promise.all(['query', 'key', 'value'].map((name) => stored(`${key}.${name}`)));
  return {
    query: query!, key: key_!, value: value!, seqLen, headDim, numHeads: dilation.length, oneSidedWindow: window, dilation, causal: causal ?? false,
    ...(globalTokens && {
      globalTokens,
      queryGlobal: await stored(`${key}.queryGlobal`), keyGlobal: await stored(`${key}.keyGlobal`), valueGlobal: await stored(`${key}.valueGlobal`),
    }),
    ...(masked && { keyMask: Uint8Array.from({ length: seqLen }, (_, i) => (masked.includes(i) ? 0 : 1)) }),
  };
}

const test = suite<{ engine: Engine }>('dilation');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 2 });
});

test.after(({ engine }) => engine.dispose());

for (const one of cases) {
  test(one.name, async ({ engine }) => {
    const { data } = await engine.attention(await inputOf(one));
    assertClose(data, await stored(`${one.key}.context`), TOLERANCE, one.name);
  });
}

test.run();
