// From BERT or RoBERTa to Longformer without training, as the paper starts its own models.
//
//   positions   the source's table, over and over, up to the new length
//   attention   global projections are copies of the local ones
//   the rest    stays, under Longformer's names
//
// On a text that fits one side of the window the result computes what the source computes. Everything
// is moved as bytes, tensor by tensor, so the source's number type stays and memory stays small.

import { dilationPerHead, parseConfig, windowPerLayer, type LongformerConfig } from './config.ts';
import { copyCompanions, writeJson } from './convert/companions.ts';
import { ARCHITECTURES, longformerClass } from './convert/names.ts';
import { convertedTensors, newNames } from './convert/tensors.ts';
import { checkCallOptions, type Names } from './arguments.ts';
import { LongformerError } from './errors.ts';
import { openCheckpoint } from './files/checkpoint.ts';
import { openSource } from './files/open.ts';
import { writeSafetensors, type TensorToWrite } from './files/safetensors-writer.ts';
import { SOURCE_OPTIONS, type SourceOptions } from './files/source-options.ts';
import { readJson, type FileSource, type Source } from './files/source.ts';
import { byteLength } from './files/tensors.ts';
import { hasFileSystem } from './platform/node.ts';
import { tell, type LongCallOptions, type Progress } from './progress.ts';
import { quoted } from './quoted.ts';
import { readTokenizerFiles } from './tokenizer/tokenizer-files.ts';

export interface ConversionOptions extends SourceOptions {
  /** Tokens that the result can read; its table of positions gets pad_token_id + 1 rows more. */
  maxPositions: number;
  /** Both sides together, as in config.json: one even number, or one per layer. */
  attentionWindow: number | readonly number[];
  /** Distance between neighbouring keys, per layer and, inside it, per head. Default: 1, no gaps. */
  attentionDilation?: number | readonly (number | readonly number[])[];
}

const CONVERSION_OPTIONS: Names<ConversionOptions> = { maxPositions: true, attentionWindow: true, attentionDilation: true, ...SOURCE_OPTIONS };

export interface Conversion {
  /** The class of the result, e.g. `LongformerForMaskedLM`. */
  architecture: string;
  /** Tensors of the source that this class has no use for. */
  droppedTensors: string[];
}

/** A table of a million rows has 4 GB in a large model; beyond it an argument is a mistake. */
const MAX_POSITIONS = 2 ** 20;

/** What sets the kinds of source apart, defaults of their configs included. */
const SOURCES = {
  bert: {
    defaults: { vocab_size: 30522, max_position_embeddings: 512, pad_token_id: 0 },
    countsPositionsFrom: () => 0,
    baseClass: 'BertModel',
    tokenizerClass: 'BertTokenizer',
  },
  roberta: {
    defaults: { vocab_size: 50265, max_position_embeddings: 512, pad_token_id: 1 },
    countsPositionsFrom: (padTokenId: number) => padTokenId + 1,
    baseClass: 'RobertaModel',
    tokenizerClass: 'RobertaTokenizer',
  },
} as const;

type Kind = keyof typeof SOURCES;

/**
 * Converts a BERT or RoBERTa checkpoint, with or without a head, into a Longformer.
 *
 * The target directory must not exist or be empty, and appears only when everything is written: an
 * abort or an error leaves nothing behind. Progress counts bytes of the new weights, stage `load`.
 *
 * Rejects with `BAD_INPUT` for an option or the target, `NOT_FOUND` if the source lacks its config or
 * weights, `BAD_FILE` if it is none that can be converted, or malformed, `DOWNLOAD` if it cannot be fetched.
 *
 * @example
 * ```js
 * import { convertToLongformer } from 'longformer-wasm';
 *
 * const { architecture } = await convertToLongformer('models/bert', 'models/bert-2048', { maxPositions: 2048, attentionWindow: 128 });
 * console.log(architecture); // => 'LongformerModel'
 * ```
 */
export async function convertToLongformer(
  source: string | URL | FileSource, targetDir: string | URL, options: ConversionOptions,
): Promise<Conversion> {
  refuseDtype((options as { dtype?: unknown } | undefined)?.dtype);
  checkCallOptions('convertToLongformer', options, CONVERSION_OPTIONS);
  options.signal?.throwIfAborted();
  const files = await openSource(source, options);
  const { kind, architecture, config } = await readSourceConfig(files);
  const json = longformerJson(architecture, config, await separatorOf(files, config), options);
  if (!hasFileSystem) throw new LongformerError('BAD_INPUT', 'targetDir', 'must be a directory, and there is no file system here');
  const { writeDirectory } = await import('./files/staging.ts');

  let droppedTensors: string[] = [];
  await writeDirectory(targetDir, async (write) => {
    const checkpoint = await openCheckpoint(files);
    try {
      const names = newNames(files, checkpoint, architecture, config);
      droppedTensors = [...checkpoint.tensors.keys()].filter((name) => !names.has(name));
      const firstPosition = SOURCES[kind].countsPositionsFrom(config.pad_token_id);
      const tensors = convertedTensors(checkpoint, names, config, options.maxPositions, firstPosition);
      await write('model.safetensors', reported(writeSafetensors(tensors, { format: 'pt' }), tensors, options));
    } finally {
      await checkpoint.close();
    }
    await writeJson(write, 'config.json', json);
    const { tokenizerClass } = SOURCES[kind];
    await copyCompanions(files, write, { maxPositions: options.maxPositions, tokenizerClass });
    options.signal?.throwIfAborted();
  });
  return { architecture: longformerClass(architecture), droppedTensors };
}

/** Refused rather than left without a word: every other call that makes a model takes one. */
function refuseDtype(dtype: unknown): void {
  if (dtype === undefined) return;
  throw new LongformerError('BAD_INPUT', 'dtype',
    `must be given where the result is loaded, as in fromPretrained(dir, { dtype }): a conversion keeps the numbers of its source, got ${quoted(dtype)}`);
}

// ---------------------------------------------------------------------------- config

async function readSourceConfig(
  source: Source,
): Promise<{ kind: Kind; architecture: string; config: LongformerConfig }> {
  const subject = `${source.label}/config.json`;
  const json = await readJson(source, 'config.json') as Record<string, unknown> | null;
  if (json === null) throw new LongformerError('NOT_FOUND', subject, 'must be there, is not');
  const refuse = (field: string, rule: string): LongformerError =>
    new LongformerError('BAD_FILE', `${subject}: ${field}`, `must be ${rule}, got ${quoted(json[field])}`);

  const kind = json.model_type;
  if (kind !== 'bert' && kind !== 'roberta') throw refuse('model_type', '"bert" or "roberta"');
  // Both would be other models under the same names.
  if ((json.position_embedding_type ?? 'absolute') !== 'absolute') throw refuse('position_embedding_type', '"absolute"');
  if (json.is_decoder === true) throw refuse('is_decoder', 'false');

  const architecture: unknown = Array.isArray(json.architectures) ? json.architectures[0] : SOURCES[kind].baseClass;
  if (typeof architecture !== 'string' || !ARCHITECTURES.includes(architecture)) {
    throw refuse('architectures', `one of ${ARCHITECTURES.join(', ')}`);
  }
  const given = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
  // Both kinds share the other defaults with Longformer; its window is set by the caller.
  const config = parseConfig({ ...SOURCES[kind].defaults, ...given, model_type: 'longformer', attention_mode: null, attention_window: 2 }, subject);
  return { kind, architecture, config: { ...config, json } };
}

/**
 * The id between the texts of a pair, which Longformer's heads choose global tokens by: BERT's config
 * does not say it. Null where no tokenizer can be read that does.
 */
async function separatorOf(source: Source, { json }: LongformerConfig): Promise<unknown> {
  if ((json.sep_token_id ?? null) !== null) return json.sep_token_id;
  try {
    return (await readTokenizerFiles(source)).specialTokens.sep?.id ?? null;
  } catch (error) {
    // Of a tokenizer that could not be fetched nobody knows.
    if (error instanceof LongformerError && (error.code === 'NOT_FOUND' || error.code === 'BAD_FILE')) return null;
    throw error;
  }
}

/** The new config.json: the source's, with what changes, and with what its class had by default. */
function longformerJson(
  architecture: string, config: LongformerConfig, separator: unknown, options: ConversionOptions,
): Record<string, unknown> {
  const { maxPositions, attentionWindow, attentionDilation } = options;
  if (!Number.isInteger(maxPositions) || maxPositions < 1 || maxPositions > MAX_POSITIONS) {
    throw new LongformerError('BAD_INPUT', 'maxPositions',
      `must be a whole number from 1 to ${MAX_POSITIONS}, got ${quoted(maxPositions)}`);
  }
  const { num_hidden_layers: layers } = config;
  const attention_window = windowPerLayer(attentionWindow, layers, { code: 'BAD_INPUT', subject: 'attentionWindow' });
  const dilations = attentionDilation === undefined ? undefined
    : dilationPerHead(attentionDilation, layers, config.num_attention_heads,
      { code: 'BAD_INPUT', subject: 'attentionDilation' });

  // auto_map would have Hugging Face run the source's own code; attention_mode, that windows count one side.
  const { auto_map: _, attention_mode: __, ...kept } = config.json;
  return {
    ...kept,
    model_type: 'longformer',
    architectures: [longformerClass(architecture)],
    vocab_size: config.vocab_size,
    hidden_size: config.hidden_size,
    num_hidden_layers: layers,
    num_attention_heads: config.num_attention_heads,
    intermediate_size: config.intermediate_size,
    hidden_act: config.hidden_act,
    type_vocab_size: config.type_vocab_size,
    layer_norm_eps: config.layer_norm_eps,
    pad_token_id: config.pad_token_id,
    ...(separator !== null && { sep_token_id: separator }),
    max_position_embeddings: maxPositions + config.pad_token_id + 1,
    attention_window,
    // One number where all heads of a layer agree.
    ...(dilations && { attention_dilation: dilations.map((heads) => new Set(heads).size === 1 ? heads[0] : heads) }),
  };
}

// ---------------------------------------------------------------------------- progress

/** The same chunks, with an eye on the caller's signal and a word to it after each. */
async function* reported(
  chunks: AsyncIterable<Uint8Array>, tensors: readonly TensorToWrite[], { signal, onProgress }: LongCallOptions,
): AsyncGenerator<Uint8Array> {
  const total = tensors.reduce((sum, { dtype, shape }) => sum + byteLength(dtype, shape), 0);
  const progress: Progress = { stage: 'load', name: 'model.safetensors', done: 0, total, unit: 'bytes' };
  let isHeader = true;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    if (!isHeader) progress.done += chunk.length;
    isHeader = false;
    tell(onProgress, { ...progress });
    yield chunk;
  }
}
