// The weights of a checkpoint as one set of tensors, whether they lie in one file or in shards.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { openPytorch } from './pytorch.ts';
import { openSafetensors } from './safetensors.ts';
import { readJson, safeName, type OpenFile, type Source } from './source.ts';
import type { StoredTensors, TensorInfo } from './tensors.ts';

interface Format {
  /** The file of all weights; behind it `.index.json` names the list of shards. */
  readonly name: string;
  readonly open: (file: OpenFile) => Promise<StoredTensors>;
}

/** The first that is there is read. */
const FORMATS: readonly Format[] = [
  { name: 'model.safetensors', open: openSafetensors },
  { name: 'pytorch_model.bin', open: openPytorch },
];

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists; else
 * `pytorch_model.bin` or the shards of its index.
 *
 * `start` and `end` of a tensor count in its own shard. Rejects with `NOT_FOUND` if there are no
 * weights or a shard is missing, `BAD_FILE` if one of these files is malformed.
 */
export async function openCheckpoint(source: Source): Promise<StoredTensors> {
  for (const format of FORMATS) {
    const single = await source.open(format.name);
    if (single !== null) return format.open(single);
    const indexName = `${format.name}.index.json`;
    const index = await readJson(source, indexName);
    if (index !== null) return openShards(source, format, shardOfTensor(source.label, indexName, index));
  }
  const [first, ...others] = FORMATS.map(({ name }) => name);
  throw new LongformerError('NOT_FOUND', `${source.label}/${first}`, `must be there, is not, nor is ${others.join()}`);
}

async function openShards(source: Source, format: Format, shardOf: ReadonlyMap<string, string>): Promise<StoredTensors> {
  const listed = `must be there: ${format.name}.index.json lists it`;
  const shards = new Map<string, StoredTensors>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of new Set(shardOf.values())) {
      const file = await source.open(name);
      if (file === null) throw new LongformerError('NOT_FOUND', `${source.label}/${name}`, listed);
      shards.set(name, await format.open(file));
    }
    const tensors = new Map<string, TensorInfo>();
    for (const [tensor, name] of shardOf) {
      const info = shards.get(name)!.tensors.get(tensor);
      if (info === undefined) throw new LongformerError('BAD_FILE', `${source.label}/${name}, tensor ${quoted(tensor)}`, listed);
      tensors.set(tensor, info);
    }
    return {
      tensors,
      metadata: new Map(),
      async read(tensor, start, end, room) {
        const shard = shards.get(shardOf.get(tensor) ?? '');
        if (shard !== undefined) return shard.read(tensor, start, end, room);
        throw new LongformerError('NOT_FOUND', `${source.label}, tensor ${quoted(tensor)}`, 'must be there, is not');
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One spelling for each shard: it is opened once. */
function shardOfTensor(folder: string, indexName: string, index: unknown): Map<string, string> {
  const subject = `${folder}/${indexName}: weight_map`;
  const map: unknown = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new LongformerError('BAD_FILE', subject, `must be an object, got ${quoted(map)}`);
  }
  return new Map(Object.entries(map).map(([tensor, file]: [string, unknown]) => {
    if (typeof file === 'string') return [tensor, safeName(folder, file)];
    throw new LongformerError('BAD_FILE', subject, `must map to file names, got ${quoted(file)} for ${quoted(tensor)}`);
  }));
}
