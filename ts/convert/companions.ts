// The files beside the weights: the tokenizer, and what sentence-transformers keeps. They go along as
// they are, but for limits on the length of a text, which a longer model no longer has.

import { LongformerError } from '../errors.ts';
import { readJson, type Source } from '../files/source.ts';
import type { WriteFile } from '../files/staging.ts';

const COPIED = [
  'special_tokens_map.json', 'added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt',
  'sentencepiece.bpe.model', 'config_sentence_transformers.json', 'modules.json', 'LICENSE', 'LICENSE.txt',
];

/** What a module of sentence-transformers (pooling, a dense layer) may keep in its folder. */
const COPIED_OF_MODULES = ['config.json', 'model.safetensors', 'pytorch_model.bin'];

const SENTENCE_CONFIGS = ['sentence_bert_config.json', 'sentence_roberta_config.json'];

const CHUNK_BYTES = 4 * 2 ** 20;

/** Copies those that there are. `tokenizerClass` is what Hugging Face takes for the source where no file says it. */
export async function copyCompanions(
  source: Source, write: WriteFile, { maxPositions, tokenizerClass }: { maxPositions: number; tokenizerClass: string },
): Promise<void> {
  for (const name of COPIED) await copyFile(source, write, name);
  for (const folder of await moduleFolders(source)) {
    for (const name of COPIED_OF_MODULES) await copyFile(source, write, `${folder}/${name}`);
  }

  const tokenizer = await readObject(source, 'tokenizer.json');
  if (tokenizer !== null) {
    // MiniLM's, for one, cuts every text at 128 tokens and pads it to them.
    await writeJson(write, 'tokenizer.json', { ...tokenizer, truncation: null, padding: null }, 0);
  }

  // The class is written out: for a Longformer that names none Hugging Face takes RoBERTa's.
  const tokenizerConfig = await readObject(source, 'tokenizer_config.json') ?? {};
  await writeJson(write, 'tokenizer_config.json',
    { tokenizer_class: tokenizerClass, ...tokenizerConfig, model_max_length: maxPositions });

  for (const name of SENTENCE_CONFIGS) {
    const config = await readObject(source, name);
    if (config !== null) await writeJson(write, name, { ...config, max_seq_length: maxPositions });
  }
}

/** Writes a value as JSON with a line break at its end. */
export async function writeJson(write: WriteFile, name: string, value: unknown, indent = 2): Promise<void> {
  await write(name, [new TextEncoder().encode(`${JSON.stringify(value, null, indent)}\n`)]);
}

async function copyFile(source: Source, write: WriteFile, name: string): Promise<void> {
  const file = await source.open(name);
  if (file === null) return;
  try {
    await write(name, (async function* () {
      for (let at = 0; at < file.size; at += CHUNK_BYTES) {
        yield file.read(at, Math.min(at + CHUNK_BYTES, file.size));
      }
    })());
  } finally {
    await file.close();
  }
}

/** The folders that modules.json names, each once; that of the encoder itself, '' or '.', is left out. */
async function moduleFolders(source: Source): Promise<Set<string>> {
  const modules = await readJson(source, 'modules.json') ?? [];
  if (!Array.isArray(modules)) throw new LongformerError('BAD_FILE', `${source.label}/modules.json`, 'must be a list');
  const paths = modules.map((module: { path?: unknown } | null) => module?.path)
    .filter((path): path is string => typeof path === 'string')
    .map((path) => path.replace(/^\.(\/|$)|\/+$/g, ''));
  return new Set(paths.filter((path) => path !== ''));
}

async function readObject(source: Source, name: string): Promise<Record<string, unknown> | null> {
  const value = await readJson(source, name);
  if (value === null) return null;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new LongformerError('BAD_FILE', `${source.label}/${name}`, 'must be a JSON object');
}
