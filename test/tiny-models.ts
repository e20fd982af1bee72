// The checkpoints of test/fixtures/tiny-heads as folders with a tokenizer, for the command line.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tinyPipeline, type TinyTokenizer } from './tiny-pipelines.ts';

const FILES = ['config.json', 'model.safetensors', 'model.safetensors.index.json', 'encoder.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'];

/** Writes one of them as `folder`. */
export async function writeTinyModel(folder: string, tokenizer: TinyTokenizer, head: string): Promise<void> {
  const source = await tinyPipeline(tokenizer, head);
  await mkdir(folder, { recursive: true });
  for (const name of [...FILES, `${head}.safetensors`]) {
    const file = await source.open(name);
    if (file !== null) await writeFile(join(folder, name), new Uint8Array(await file.arrayBuffer()));
  }
}
