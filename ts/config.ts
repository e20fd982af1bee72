// config.json of a Longformer: the fields that the forward pass reads, checked once, and the bands
// that follow from them.
//
// Names and defaults are those of Hugging Face's LongformerConfig; `attention_dilation`,
// `autoregressive` and `norm_first` are not known there and bring the rest of the paper.

import { LongformerError, type ErrorCode } from './errors.ts';
import { readJson, type Source } from './files/source.ts';
import { quoted } from './quoted.ts';

/** The fields of config.json that matter to the numbers, spelled as they are there, defaults filled in. */
export interface LongformerConfig {
  readonly architectures: readonly string[];
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: 'gelu'; // the exact one, by erf
  readonly max_position_embeddings: number; // rows of the table; the first pad_token_id + 1 are no token's
  readonly type_vocab_size: number;
  readonly layer_norm_eps: number;
  readonly pad_token_id: number;
  readonly sep_token_id: number;
  readonly attention_window: readonly number[]; // per layer, both sides together
  readonly attention_dilation: readonly (readonly number[])[]; // [layer][head], 1 = no gaps
  readonly autoregressive: boolean; // no token sees a later one
  readonly norm_first: boolean; // layer norm before attention and feed-forward instead of behind them
  /** config.json as it was read, unknown fields included. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Which keys a query of one layer sees, apart from global ones. */
export interface LayerBand {
  /** Keys on each side of the query. */
  readonly oneSidedWindow: number;
  /** Distance between neighbouring keys, per head; 1 = no gaps. */
  readonly dilations: readonly number[];
}

/** Deeper and wider than any published transformer; a list per layer and head must stay small. */
const MAX_LAYERS = 1024;
const MAX_HEADS = 1024;

/** Sizes, ids and windows travel as 32-bit integers. */
const MAX_INTEGER = 2 ** 31 - 1;

/** Reads config.json. Rejects with `NOT_FOUND` if there is none, `BAD_FILE` naming the field that breaks a rule. */
export async function readConfig(source: Source): Promise<LongformerConfig> {
  const json = await readJson(source, 'config.json');
  if (json === null) throw new LongformerError('NOT_FOUND', `${source.label}/config.json`, 'must be there, is not');
  return parseConfig(json, `${source.label}/config.json`);
}

/** The same for a config that is read already; `subject` names it in errors. */
export function parseConfig(json: unknown, subject: string): LongformerConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new LongformerError('BAD_FILE', subject, `must be a JSON object, got ${quoted(json)}`);
  }
  const fields = new Fields(json as Record<string, unknown>, subject);
  checkModelType(fields);

  const num_hidden_layers = fields.integer('num_hidden_layers', 12, 1, MAX_LAYERS);
  const num_attention_heads = fields.integer('num_attention_heads', 12, 1, MAX_HEADS);
  const hidden_size = fields.integer('hidden_size', 768);
  if (hidden_size % num_attention_heads !== 0) {
    throw fields.refuse('hidden_size', `must be a multiple of num_attention_heads = ${num_attention_heads}`);
  }
  const hidden_act = fields.get('hidden_act', 'gelu');
  if (hidden_act !== 'gelu') throw fields.refuse('hidden_act', 'must be "gelu", no other activation is supported');

  const vocab_size = fields.integer('vocab_size', 30522);
  const pad_token_id = fields.integer('pad_token_id', 1, 0, vocab_size - 1);
  // One row at least must be left for tokens.
  const max_position_embeddings = fields.integer('max_position_embeddings', 512, pad_token_id + 2);

  return {
    architectures: fields.strings('architectures'),
    vocab_size,
    hidden_size,
    num_hidden_layers,
    num_attention_heads,
    intermediate_size: fields.integer('intermediate_size', 3072),
    hidden_act,
    max_position_embeddings,
    type_vocab_size: fields.integer('type_vocab_size', 2),
    layer_norm_eps: fields.positive('layer_norm_eps', 1e-12),
    pad_token_id,
    sep_token_id: fields.integer('sep_token_id', 2, 0),
    attention_window: windowOf(fields, num_hidden_layers, `${subject}: attention_window`),
    attention_dilation: dilationPerHead(fields.get('attention_dilation', 1), num_hidden_layers, num_attention_heads,
      { code: 'BAD_FILE', subject: `${subject}: attention_dilation` }),
    autoregressive: fields.boolean('autoregressive'),
    norm_first: fields.boolean('norm_first'),
    json: json as Record<string, unknown>,
  };
}

/**
 * The band of every layer: the one place where a window over both sides becomes one per side.
 *
 * `attentionWindow` replaces the config's, in the same form: both sides, a number or one per layer;
 * throws `BAD_INPUT` if it breaks the same rules.
 */
export function bandsOf(
  config: Pick<LongformerConfig, 'num_hidden_layers' | 'attention_window' | 'attention_dilation'>,
  attentionWindow?: number | readonly number[],
): LayerBand[] {
  const windows = attentionWindow === undefined ? config.attention_window
    : windowPerLayer(attentionWindow, config.num_hidden_layers, { code: 'BAD_INPUT', subject: 'attentionWindow' });
  return windows.map((window, layer) => ({ oneSidedWindow: window / 2, dilations: config.attention_dilation[layer]! }));
}

// ---------------------------------------------------------------------------- windows and dilations

/**
 * AI2's own code, which writes its `attention_mode`, counts the window's keys per side. Hugging Face
 * counts both together, and has "longformer" there in its copies of AI2's files.
 */
function windowOf(fields: Fields, layers: number, subject: string): number[] {
  const mode = fields.get('attention_mode', 'longformer');
  const window = fields.get('attention_window', 512);
  if (mode === 'longformer') return windowPerLayer(window, layers, { code: 'BAD_FILE', subject });
  if (mode !== 'sliding_chunks' && mode !== 'tvm') {
    throw fields.refuse('attention_mode', 'must be "sliding_chunks" or "tvm", others attend to other keys');
  }
  return perLayer(window, layers, { code: 'BAD_FILE', subject }).map((keys, layer) => {
    if (isPositiveInteger(keys) && isPositiveInteger(2 * keys)) return 2 * keys;
    throw new LongformerError('BAD_FILE', subject + place(window, layer),
      `must be a whole number above 0 (it counts one side), got ${quoted(keys)}`);
  });
}

/** Whom an error blames: a field of a file or an argument. */
interface Blame {
  code: ErrorCode;
  subject: string;
}

/** A window over both sides for every layer, from one for all of them or a list. */
export function windowPerLayer(value: unknown, layers: number, blame: Blame): number[] {
  return perLayer(value, layers, blame).map((window, layer) => {
    if (!isPositiveInteger(window) || window % 2 !== 0) {
      throw new LongformerError(blame.code, blame.subject + place(value, layer),
        `must be an even number above 0 (it counts both sides), got ${quoted(window)}`);
    }
    return window;
  });
}

/** A dilation for every head of every layer, from one for all, a list per layer, or lists per head inside it. */
export function dilationPerHead(value: unknown, layers: number, heads: number, blame: Blame): number[][] {
  return perLayer(value, layers, blame).map((dilation, layer) => {
    const subject = blame.subject + place(value, layer);
    if (Array.isArray(dilation) && dilation.length !== heads) {
      throw new LongformerError(blame.code, subject, `must have one entry per head, ${heads}, has ${dilation.length}`);
    }
    const dilations: unknown[] = Array.isArray(dilation) ? dilation : Array<unknown>(heads).fill(dilation);
    return dilations.map((entry, head) => {
      if (!isPositiveInteger(entry)) {
        throw new LongformerError(blame.code, subject + place(dilation, head),
          `must be a whole number above 0 (1 = no gaps), got ${quoted(entry)}`);
      }
      return entry;
    });
  });
}

function perLayer(value: unknown, layers: number, blame: Blame): unknown[] {
  if (!Array.isArray(value)) return Array<unknown>(layers).fill(value);
  if (value.length !== layers) {
    throw new LongformerError(blame.code, blame.subject, `must have one entry per layer, ${layers}, has ${value.length}`);
  }
  return value;
}

/** `[3]` where the offender is an entry of a list, nothing where it stands for all of them. */
function place(value: unknown, index: number): string {
  return Array.isArray(value) ? `[${index}]` : '';
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_INTEGER;
}

// ---------------------------------------------------------------------------- fields

/**
 * Checkpoints made with AI2's own code keep the model type of the encoder they grew from; their
 * window tells them from one that was never converted.
 */
function checkModelType(fields: Fields): void {
  const type = fields.get('model_type', 'longformer');
  if (type === 'longformer') return;
  const grownFrom = type === 'bert' || type === 'roberta';
  if (grownFrom && fields.get('attention_window', undefined) !== undefined) return;
  throw fields.refuse('model_type', grownFrom
    ? 'must be "longformer": convert the checkpoint with convertToLongformer first'
    : 'must be "longformer"');
}

/** The fields of config.json. A missing field and null mean the default, as in Hugging Face's classes. */
class Fields {
  constructor(private readonly json: Record<string, unknown>, private readonly subject: string) {}

  get(name: string, absent: unknown): unknown {
    return (Object.hasOwn(this.json, name) ? this.json[name] : null) ?? absent;
  }

  refuse(name: string, rule: string): LongformerError {
    return new LongformerError('BAD_FILE', `${this.subject}: ${name}`, `${rule}, got ${quoted(this.json[name])}`);
  }

  integer(name: string, absent: number, min = 1, max = MAX_INTEGER): number {
    const value = this.get(name, absent);
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    const got = this.get(name, null) === null ? `${absent} by default` : quoted(value);
    throw new LongformerError('BAD_FILE', `${this.subject}: ${name}`,
      `must be a whole number from ${min} to ${max}, got ${got}`);
  }

  positive(name: string, absent: number): number {
    const value = this.get(name, absent);
    if (!Number.isFinite(value) || (value as number) <= 0) throw this.refuse(name, 'must be a number above 0');
    return value as number;
  }

  boolean(name: string): boolean {
    const value = this.get(name, false);
    if (typeof value !== 'boolean') throw this.refuse(name, 'must be true or false');
    return value;
  }

  strings(name: string): string[] {
    const value = this.get(name, []);
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value as string[];
    throw this.refuse(name, 'must be a list of strings');
  }
}
