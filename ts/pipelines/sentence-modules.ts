// How a checkpoint of sentence-transformers makes one vector of a text: modules.json lists the steps,
// 1_Pooling/config.json says how the tokens' vectors are pooled.

import { LongformerError } from '../errors.ts';
import { readJson, type Source } from '../files/source.ts';
import { quoted } from '../quoted.ts';

export type Pooling = 'mean' | 'cls' | 'max';

/** What a checkpoint says of its vectors. */
export interface SentenceModules {
  readonly pooling: Pooling;
  readonly normalize: boolean;
}

/** What sentence-transformers does where a checkpoint says nothing. */
const USUAL: SentenceModules = { pooling: 'mean', normalize: false };

/** As older files name the modes, and as newer ones do. */
const MODES = {
  pooling_mode_cls_token: 'cls', pooling_mode_max_tokens: 'max', pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens', pooling_mode_weightedmean_tokens: 'weightedmean', pooling_mode_lasttoken: 'lasttoken',
};

/** Throws `BAD_FILE` for steps and modes that are not known: without them the vectors would be others. */
export async function readSentenceModules(source: Source): Promise<SentenceModules> {
  const name = `${source.label}/modules.json`;
  const modules = await readJson(source, 'modules.json');
  if (modules === null) return { ...USUAL, pooling: await readPooling(source, '1_Pooling/config.json') ?? USUAL.pooling };
  if (!Array.isArray(modules)) throw new LongformerError('BAD_FILE', name, `must be a list, got ${quoted(modules)}`);
  let { pooling, normalize } = USUAL;
  for (const module of modules as ({ type?: unknown; path?: unknown } | null)[]) {
    const type = typeof module?.type === 'string' ? module.type.split('.').at(-1) : undefined;
    if (type === 'Pooling') pooling = await readPooling(source, `${typeof module?.path === 'string' ? module.path : '1_Pooling'}/config.json`) ?? pooling;
    else if (type === 'Normalize') normalize = true;
    else if (type !== 'Transformer') throw new LongformerError('BAD_FILE', name, `must name Transformer, Pooling and Normalize alone, names ${quoted(module?.type)}`);
  }
  return { pooling, normalize };
}

async function readPooling(source: Source, name: string): Promise<Pooling | null> {
  const config = await readJson(source, name) as Record<string, unknown> | null;
  if (config === null) return null;
  const given = Object.entries(MODES).flatMap(([field, mode]) => (config[field] === true ? [mode] : []));
  const [mode = 'mean', ...others] = [config['pooling_mode'] ?? given].flat() as unknown[];
  if (others.length === 0 && (mode === 'mean' || mode === 'cls' || mode === 'max')) return mode;
  throw new LongformerError('BAD_FILE', `${source.label}/${name}`, `must pool by mean, cls or max, names ${[mode, ...others].map(quoted).join(', ')}`);
}
