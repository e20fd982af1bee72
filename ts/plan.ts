// What a pass will take, before it runs: memory, from the layout of what the engine holds, and work.
//
// Memory is WebAssembly memory in use at the highest point. It never shrinks, so that is also what an
// engine with this model alone holds afterwards. Kept beside the crate by test/plan.test.ts.

import type { Names } from './arguments.ts';
import { bandsOf, type LayerBand, type LongformerConfig } from './config.ts';
import type { Dtype } from './dtype.ts';
import { LongformerError } from './errors.ts';
import type { Architecture } from './models/heads.ts';
import { refuseWithoutRows } from './models/rows.ts';
import { quoted } from './quoted.ts';

/** A call of `forward`, by its sizes. Hidden states and attentions that it returns besides are not counted. */
export interface PlanRequest {
  /** Of each sequence. */
  tokens: number;
  /** Sequences. Default 1. */
  batch?: number;
  /** Global ones of each sequence. Default: 1 for sequence classification, 32 for pairs of texts, 0 for other classes. */
  globalTokens?: number;
  /** Tokens of each sequence whose rows are wanted, where there are rows. Default: all. */
  positions?: number;
  /** Replaces the window, both sides together. */
  attentionWindow?: number | number[];
  /** As of `forward`. Default 16384. */
  maxBatchTokens?: number;
}

export const PLAN_REQUEST: Names<PlanRequest> = {
  tokens: true, batch: true, globalTokens: true, positions: true, attentionWindow: true, maxBatchTokens: true,
};

export interface Plan {
  /** WebAssembly memory at the highest point, of an engine that holds this model alone. */
  peakBytes: number;
  /** What of it are weights. */
  weightBytes: number;
  /** Floating-point operations of all matrix products; a multiplication and an addition are two. */
  flops: number;
}

/** What of a loaded model a plan depends on. */
export interface PlannedModel {
  architecture: Architecture;
  config: LongformerConfig;
  dtype: Dtype;
  weightBytes: number;
  /** Tokens of the longest text. */
  maxTokens: number;
  threads: number;
}

const MB = 2 ** 20;

/** An engine with nothing in it, and each thread besides the first. */
const ENGINE_BYTES = 1.25 * MB;
const THREAD_BYTES = 2 * MB;

/** What loading takes besides the weights, for the pieces in which it reads tables. It is there for the buffers of a pass. */
function loadingBytes({ hidden_size, vocab_size, max_position_embeddings }: LongformerConfig): number {
  return 2 * Math.min(4 * MB, 4 * hidden_size * Math.max(vocab_size, max_position_embeddings));
}

/**
 * What the crate calls by these names: rows of a block, queries of a unit of work and of a group, keys of a
 * block, columns of a panel; heads that are packed at once at least, and those times tokens.
 */
const MOST_ROWS = 576;
const QUERIES = 96;
const GROUP = 16;
const KEYS = 192;
const PANEL = 8;
const FEWEST_HEADS = 6;
const LEAST_PACKED = 4096;

/** Logits at a time (models/logits.ts). */
const LOGITS = 2 ** 22;

/** The sizes of a request, checked, with defaults. */
interface Sizes {
  tokens: number;
  globals: number;
  rows: number;
  /** Sequences in all, and those that go through the layers together. */
  batch: number;
  together: number;
}

/** Throws `BAD_INPUT` for sizes that `forward` would refuse. */
export function planOf(model: PlannedModel, request: PlanRequest): Plan {
  const { architecture, config, dtype, weightBytes, threads } = model;
  const sizes = sizesOf(model, request);
  const bands = bandsOf(config, request.attentionWindow);
  const quantized = dtype === 'int8' ? sizes.together * sizes.tokens * (2 * config.hidden_size + 4) : 0; // what goes into projections
  const product = productBytes(config, sizes, dtype);
  const encoder = encoderBytes(config, sizes, bands, threads) + quantized + product;
  // Its buffers are larger than the pieces of loading.
  const head = loadingBytes(config) + sizes.together * sizes.tokens * 4 * config.hidden_size + headBytes(architecture, config, sizes) + product;
  return {
    peakBytes: Math.round(ENGINE_BYTES + THREAD_BYTES * (threads - 1) + weightBytes + Math.max(loadingBytes(config), encoder, head)),
    weightBytes,
    flops: sizes.batch * (encoderFlops(config, sizes, bands) + headFlops(architecture, config, sizes)),
  };
}

function sizesOf({ architecture, maxTokens }: PlannedModel, request: PlanRequest): Sizes {
  refuseWithoutRows(architecture, request.positions);
  const tokens = whole('tokens', request.tokens, 1, maxTokens);
  const batch = whole('batch', request.batch ?? 1, 1, 2 ** 31);
  const chosen: Partial<Record<Architecture, number>> = {
    LongformerForSequenceClassification: 1, LongformerForQuestionAnswering: 32, LongformerForMultipleChoice: 32,
  };
  const globals = whole('globalTokens', request.globalTokens ?? Math.min(tokens, chosen[architecture] ?? 0), 0, tokens);
  const rows = whole('positions', request.positions ?? tokens, 0, tokens);
  const most = whole('maxBatchTokens', request.maxBatchTokens ?? 16384, 1, Infinity);
  return { tokens, globals, rows, batch, together: Math.min(batch, Math.max(1, Math.floor(most / tokens))) };
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most || value === most) return value;
  throw new LongformerError('BAD_INPUT', name, `must be a whole number from ${least} to ${most}, got ${quoted(value)}`);
}

// ---------------------------------------------------------------------------- memory

/** Hidden states and context of all tokens, keys and values of some heads; and what a block of a layer takes for itself. */
function encoderBytes(config: LongformerConfig, sizes: Sizes, bands: readonly LayerBand[], threads: number): number {
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  const headDim = hidden / heads;
  const { tokens, together } = sizes;
  const rows = together * tokens * hidden * (config.norm_first ? 3 : 2);
  const all = together * tokens;
  const packed = headsOfRound(heads, all) * (all * headDim + (all + 1 - all % 2) * padded(headDim));
  const windows = bands.map(({ oneSidedWindow }) => oneSidedWindow);
  const seen = Math.min(tokens, 2 * Math.max(...windows) + GROUP) + sizes.globals;
  const band = threads * (GROUP * seen + 2 * QUERIES * headDim + sizes.globals * (headDim + padded(headDim)));
  return 4 * (rows + packed + globalScratch(config, sizes, threads) + band);
}

/** Heads whose keys and values lie packed at one time, at most (crate, attention/key_values.rs). */
function headsOfRound(heads: number, tokens: number): number {
  const most = Math.max(FEWEST_HEADS, Math.floor(LEAST_PACKED / tokens));
  return Math.ceil(heads / Math.ceil(heads / most));
}

/** What products of a block of rows leave, kept for the next (crate, columns.rs): the activation, once more as rows, and what comes out. */
function productBytes({ hidden_size: hidden, intermediate_size: inner, norm_first }: LongformerConfig, { tokens, together }: Sizes, dtype: Dtype): number {
  return Math.min(MOST_ROWS, together * tokens) * ((dtype === 'int8' ? 5 : 8) * inner + (norm_first ? 8 : 4) * hidden);
}

/** Floats that the rows of global tokens take: a context for each part of the keys (crate, attention/global.rs). */
function globalScratch({ hidden_size: hidden, num_attention_heads: heads }: LongformerConfig, { tokens, globals, together }: Sizes, threads: number): number {
  if (globals === 0) return 0;
  const headDim = hidden / heads;
  const folds = foldsProjections(globals, headDim);
  const context = globals * (folds ? heads * hidden : hidden);
  const most = Math.min(16, Math.max(2, Math.floor(2 * tokens / globals)));
  const parts = Math.ceil(tokens / (Math.ceil(Math.ceil(tokens / most) / KEYS) * KEYS));
  const queries = folds ? (heads * globals + padded(heads * globals)) * hidden : padded(globals) * hidden;
  const block = folds ? KEYS * (2 * heads * globals + hidden) : KEYS * (2 * globals + padded(headDim));
  return together * (parts * context + queries + globals * hidden) + threads * (context + block);
}

/** Behind the layers only hidden states are left, and what becomes of them. */
function headBytes(architecture: Architecture, config: LongformerConfig, { rows, tokens }: Sizes): number {
  const { hidden_size: hidden, vocab_size: vocab } = config;
  const block = Math.min(rows, Math.max(1, Math.floor(LOGITS / vocab)));
  switch (architecture) {
    case 'LongformerForMaskedLM': return 4 * block * (hidden + vocab);
    case 'LongformerForCausalLM': return 4 * block * vocab + (config.norm_first ? 4 * tokens * hidden : 0);
    case 'LongformerForQuestionAnswering': return 4 * 3 * tokens;
    default: return 0;
  }
}

function padded(cols: number): number {
  return Math.ceil(cols / PANEL) * PANEL;
}

// ---------------------------------------------------------------------------- work

/** Of one sequence. */
function encoderFlops(config: LongformerConfig, { tokens, globals }: Sizes, bands: readonly LayerBand[]): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, autoregressive } = config;
  const headDim = hidden / heads;
  // Query, key, value and output; both layers of the feed-forward block.
  const dense = tokens * (4 * hidden * hidden + 2 * hidden * inner);
  const globalRows = globals === 0 ? 0
    : foldsProjections(globals, headDim) ? 2 * tokens * globals * heads * hidden : 2 * tokens * hidden * (hidden + globals);
  const layers = bands.map(({ dilations, oneSidedWindow }) => {
    const seen = sum(dilations.map((dilation) => bandKeys(tokens, oneSidedWindow, dilation, autoregressive)));
    return dense + 2 * headDim * seen + 2 * hidden * tokens * globals + globalRows;
  });
  return 2 * sum(layers);
}

/** Pairs of a query and a key of its band. */
function bandKeys(tokens: number, oneSidedWindow: number, dilation: number, autoregressive: boolean): number {
  const strands = dilation < tokens ? dilation : 1;
  const length = tokens / strands;
  const side = dilation < tokens ? Math.min(oneSidedWindow, length - 1) : 0;
  const before = side * length - side * (side + 1) / 2; // keys to the left of all queries of a strand
  return strands * (length + before * (autoregressive ? 1 : 2));
}

/** Of one sequence. */
function headFlops(architecture: Architecture, { hidden_size: hidden, vocab_size: vocab }: LongformerConfig, { rows, tokens }: Sizes): number {
  switch (architecture) {
    case 'LongformerForMaskedLM': return 2 * rows * hidden * (hidden + vocab);
    case 'LongformerForCausalLM': return 2 * rows * hidden * vocab;
    case 'LongformerForQuestionAnswering': return 2 * tokens * hidden * 2;
    case 'LongformerForTokenClassification': return 2 * rows * hidden * 2;
    default: return 2 * hidden * hidden;
  }
}

/** Whether the projections of global queries are folded (crate, attention/global.rs). */
function foldsProjections(globals: number, headDim: number): boolean {
  return 8 * globals < 7 * headDim;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
