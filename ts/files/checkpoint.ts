// The weights of a checkpoint as one set of tensors, whether they lie in one file or in shards.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { openSafetensors, type Safetensors, type TensorInfo } from './safetensors.ts';
import { readJson, type Source } from './source.ts';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
 *
 * `start` and `end` of a tensor count in its own shard. Rejects with `NOT_FOUND` if there are no
 * weights or a shard is missing, `BAD_FILE` if one of these files is malformed.
 */
export async function openCheckpoint(source: Source): Promise<Safetensors> {
  const single = await source.open(SINGLE);
  if (single !== null) return openSafetensors(single);
  const index = await readJson(source, INDEX);
  if (index === null) throw await noWeights(source);
  return openShards(source, shardOfTensor(source, index));
}

async function openShards(source: Source, shardOf: ReadonlyMap<string, string>): Promise<Safetensors> {
  const shards = new Map<string, Safetensors>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of new Set(shardOf.values())) {
      const file = await source.open(name);
      if (file === null) {
        throw new LongformerError('NOT_FOUND', `${source.label}/${name}`, `must be there: ${INDEX} lists it`);
      }
      shards.set(name, await openSafetensors(file));
    }
    const tensors = new Map<string, TensorInfo>();
    for (const [tensor, name] of shardOf) {
      const info = shards.get(name)!.tensors.get(tensor);
      if (info === undefined) {
        throw new LongformerError('BAD_FILE', `${source.label}/${name}, tensor ${quoted(tensor)}`,
          `must be there: ${INDEX} lists it`);
      }
      tensors.set(tensor, info);
    }
    return {
      tensors,
      metadata: new Map(),
      async read(tensor, start, end) {
        const shard = shards.get(shardOf.get(tensor) ?? '');
        if (shard !== undefined) return shard.read(tensor, start, end);
        throw new LongformerError('NOT_FOUND', `${source.label}, tensor ${quoted(tensor)}`, 'must be there, is not');
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function shardOfTensor(source: Source, index: unknown): Map<string, string> {
  const subject = `${source.label}/${INDEX}: weight_map`;
  const map: unknown = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new LongformerError('BAD_FILE', subject, `must be an object, got ${quoted(map)}`);
  }
  return new Map(Object.entries(map).map(([tensor, file]: [string, unknown]) => {
    if (typeof file === 'string') return [tensor, file];
    throw new LongformerError('BAD_FILE', subject, `must map to file names, got ${quoted(file)} for ${quoted(tensor)}`);
  }));
}

async function noWeights(source: Source): Promise<LongformerError> {
  const pickle = await source.open('pytorch_model.bin');
  await pickle?.close();
  return new LongformerError('NOT_FOUND', `${source.label}/${SINGLE}`,
    `must be there, is not${pickle === null ? '' : ' (pytorch_model.bin is, but only safetensors are read)'}`);
}
