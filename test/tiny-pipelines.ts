// The checkpoints of test/fixtures/tiny-pipelines: an encoder and a head, two shards of one, and a tokenizer.

import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FileSource } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { openSafetensors } from '../dist/files/safetensors.js';

export type TinyTokenizer = 'byte-level' | 'word-piece' | 'unigram';

const fixtures = new URL('./fixtures/', import.meta.url);

/** The files of one; `head` null: the encoder alone. `files` by name: JSON that is there besides, or instead; null takes a file away. */
export async function tinyPipeline(
  tokenizer: TinyTokenizer, head: string | null, config: Record<string, unknown> = {}, files: Record<string, unknown> = {},
): Promise<FileSource> {
  const folder = new URL(`tiny-pipelines/${tokenizer}/`, fixtures);
  const source = await openSource(folder);
  const weight_map: Record<string, string> = {};
  for (const shard of ['encoder', ...(head === null ? [] : [head])]) {
    const { tensors, close } = await openSafetensors((await source.open(`${shard}.safetensors`))!);
    for (const name of tensors.keys()) weight_map[name] = `${shard}.safetensors`;
    await close();
  }
  const own = JSON.parse(await readFile(new URL(`${head ?? 'classifier'}.config.json`, folder), 'utf8')) as Record<string, unknown>;
  const made: Record<string, unknown> = { 'config.json': { ...own, ...config }, 'model.safetensors.index.json': { weight_map }, ...files };
  return {
    async open(name) {
      if (name in made) return made[name] === null ? null : new Blob([JSON.stringify(made[name])]);
      if (name === 'tokenizer.json') return openAsBlob(fileURLToPath(new URL(`tokenizer/${tokenizer}/tokenizer.json`, fixtures)));
      return Object.values(weight_map).includes(name) ? openAsBlob(fileURLToPath(new URL(name, folder))) : null;
    },
  };
}
