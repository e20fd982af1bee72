// The checkpoints of test/fixtures/tiny-heads: an encoder and a head, two shards of one.

import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FileSource } from 'longformer-wasm';
import { openSource } from '../dist/files/open.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import type { TensorInfo } from '../dist/files/tensors.js';

export const tinyHeads = new URL('./fixtures/tiny-heads/', import.meta.url);

/** The files of one, with fields of its config changed, and without the tensors that `keep` refuses. */
export async function headFiles(
  head: string, config: Record<string, unknown> = {}, keep: (tensor: TensorInfo) => boolean = () => true,
): Promise<FileSource> {
  const source = await openSource(tinyHeads);
  const weight_map: Record<string, string> = {};
  for (const shard of ['encoder.safetensors', `${head}.safetensors`]) {
    const { tensors, close } = await openSafetensors((await source.open(shard))!);
    for (const tensor of tensors.values()) if (keep(tensor)) weight_map[tensor.name] = shard;
    await close();
  }
  const own = JSON.parse(await readFile(new URL(`${head}.config.json`, tinyHeads), 'utf8')) as Record<string, unknown>;
  const json = (value: unknown): Blob => new Blob([JSON.stringify(value)]);
  return {
    async open(name) {
      if (name === 'config.json') return json({ ...own, ...config });
      if (name === 'model.safetensors.index.json') return json({ weight_map });
      return Object.values(weight_map).includes(name) ? openAsBlob(fileURLToPath(new URL(name, tinyHeads))) : null;
    },
  };
}
