// The options of every command that reads a model or starts an engine, and what they mean.

import { DTYPES, type Dtype } from '../dtype.ts';
import { SIMD_WISHES } from '../engine/builds.ts';
import type { EngineOptions } from '../engine/options.ts';
import type { HubOptions } from '../files/source-options.ts';
import { choice, flag, number, size, text, UsageError, type Values } from './option.ts';

/** Where the files of a model come from. */
export const SOURCE_OPTIONS = {
  revision: text('NAME', 'a branch, tag or commit of the Hub', { preset: 'main' }),
  'cache-dir': text('DIR', 'where files of the Hub are kept', { preset: "as Python's huggingface_hub", names: 'directory' }),
  offline: flag('takes what is there, and fetches nothing'),
};

/** What the numbers run on. */
export const ENGINE_OPTIONS = {
  threads: number('N', 'threads that compute', { preset: 'by the cores' }),
  simd: choice(SIMD_WISHES, 'instructions; wide: 256 bits in Node 24 and newer, an experiment', { preset: 'auto' }),
  'max-memory': size('SIZE', 'most memory of the engine, 512MB or 2GiB, say', { preset: '4GiB' }),
  'device-info': flag('says on standard error what it runs on'),
};

export const MODEL_OPTION = {
  model: text('MODEL', 'a folder, or an id of the Hugging Face Hub (org/name)', { short: 'm', names: 'directory' }),
};

/** Of a command that runs a model. */
export const MODEL_OPTIONS = {
  ...MODEL_OPTION,
  ...SOURCE_OPTIONS,
  dtype: choice(DTYPES, 'how weights are kept', { preset: 'f32' }),
  ...ENGINE_OPTIONS,
};

export const JSON_OPTION = { json: flag('lines of JSON, for programs') };

export function readSource(values: Values<typeof SOURCE_OPTIONS>): HubOptions {
  return { revision: values.revision, cacheDir: values['cache-dir'], localFilesOnly: values.offline };
}

export function readEngine(values: Values<typeof ENGINE_OPTIONS>): EngineOptions {
  const { threads, simd, 'max-memory': maxMemoryBytes } = values;
  return { ...(threads !== undefined && { threads }), ...(simd !== undefined && { simd }), ...(maxMemoryBytes !== undefined && { maxMemoryBytes }) };
}

/** The model, and how it is to be loaded. Throws `UsageError` where none is named. */
export function readModel(values: Values<typeof MODEL_OPTIONS>): { model: string; load: HubOptions & { dtype?: Dtype } } {
  return { model: readModelName(values), load: { ...readSource(values), ...(values.dtype !== undefined && { dtype: values.dtype }) } };
}

export function readModelName({ model }: Values<typeof MODEL_OPTION>): string {
  if (model === undefined) throw new UsageError('--model must be given: a folder, or an id of the Hugging Face Hub (org/name)');
  return model;
}
