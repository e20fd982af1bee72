// What each head of each layer looks at, from one word: the part of the document around it goes
// through the model, which gives the weights of that word's row.

import { LongformerModel, type Encoding } from 'longformer-wasm';
import { engine, type Model, type Opened } from '../desk';
import { unlessLate, type Job } from '../job';
import type { Task } from '../reader';
import { bandsOf, reachAfter, type Band } from './bands';
import type { TokensReply, TokensRequest } from './tokens.worker';

/** A token that is looked at. */
export interface Glance {
  /** In the document, as offsets. */
  start: number;
  end: number;
  /** Tokens from the word to it, negative to the left; null: it is the global token. */
  distance: number | null;
  /** Shares of a head's weights add up to 1. */
  weight: number;
}

export interface Look {
  /** The word, and its first token: that is what looks. */
  readonly word: { start: number; end: number; text: string; token: string; /** Of the token, in the document. */ position: number };
  /** Of the document. */
  readonly tokens: number;
  /** The part of them that was read for this look, with the special tokens at its ends. */
  readonly read: { from: number; to: number };
  readonly bands: readonly Band[];
  /** Whether the first token of a reading is a global one. */
  readonly hasGlobal: boolean;
  /** `[layer][head]` */
  readonly heads: readonly (readonly (readonly Glance[])[])[];
}

/** Tokens that are read around the word, at least: soon done, and enough for a global token to have something to tell. */
const STRETCH = 2000;

/** The tasks that make the first token global. Of a question, whose tokens are, it stands for these. */
export const GLOBAL_FIRST = new Set<Task>(['search', 'text-classification', 'question-answering']);

export async function lookFrom(opened: Opened, model: Model, offset: number, job: Job): Promise<Look> {
  const encoding = await encodingOf(opened, model, job);
  const longformer = await loaded(model, job);
  const bands = bandsOf(model.config);
  const { inputIds, offsets } = encoding;
  const [before, end] = [encoding.specialTokensMask.indexOf(0), encoding.specialTokensMask.lastIndexOf(0) + 1];
  const position = tokenAt(offsets, before, end, startOfWord(opened.flow.text, offset));

  // All that the word hears of through the layers, if the model reads so much at once.
  const stretch = Math.max(STRETCH, 2 * reachAfter(bands, bands.length).back + 1);
  const size = Math.min(stretch, longformer.maxTokens - before - (inputIds.length - end), end - before);
  const first = Math.min(Math.max(position - (size >> 1), before), end - size);
  const ids = [...inputIds.subarray(0, before), ...inputIds.subarray(first, first + size), ...inputIds.subarray(end)];
  const query = position - first + before;
  const globalTokens = before > 0 && GLOBAL_FIRST.has(model.task) ? [0] : [];
  const { attentions } = await longformer.forward({ inputIds: ids, globalTokens },
    { ...job.options, positions: [query], outputAttentions: { queries: [query] } });

  const heads = attentions!.map(({ dims, data }, layer) => {
    const [numHeads, , columns] = dims as [number, number, number];
    const { oneSidedWindow, dilations } = bands[layer]!;
    return Array.from({ length: numHeads }, (_, head) => {
      const row = data.subarray(head * columns, (head + 1) * columns); // [global token, if there is one; window]
      const glances: Glance[] = globalTokens.map((token) => ({ start: 0, end: 0, distance: null, weight: row[token]! }));
      for (let column = globalTokens.length; column < columns; column++) {
        const distance = (column - globalTokens.length - oneSidedWindow) * dilations[head]!;
        const place = offsets[position + distance];
        if (row[column]! > 0 && place !== undefined) glances.push({ start: place[0], end: place[1], distance, weight: row[column]! });
      }
      return glances;
    });
  });
  const { text } = opened.flow;
  const word = { ...wordAt(text, offsets[position]!), token: text.slice(...offsets[position]!), position };
  return { word, tokens: inputIds.length, read: { from: first - before, to: first + size + inputIds.length - end }, bands, hasGlobal: globalTokens.length > 0, heads };
}

function startOfWord(text: string, offset: number): number {
  return offset - /[\p{L}\p{N}]*$/u.exec(text.slice(Math.max(offset - 40, 0), offset))![0].length;
}

/** The whole word, of which the token may be a part. */
function wordAt(text: string, [start, end]: [number, number]): { start: number; end: number; text: string } {
  const after = /^[\p{L}\p{N}]*/u.exec(text.slice(end, end + 40))![0];
  return { start, end: end + after.length, text: text.slice(start, end) + after };
}

/** The token in which a character stands, or the one after it. */
function tokenAt(offsets: Encoding['offsets'], from: number, to: number, offset: number): number {
  let [low, high] = [from, to - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle]![1] > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

// ---------------------------------------------------------------------------- once for each model, once for each document

let modelOf: { model: Model; longformer: LongformerModel } | null = null;

async function loaded(model: Model, job: Job): Promise<LongformerModel> {
  const running = await engine();
  if (modelOf?.model === model && modelOf.longformer.engine === running) return modelOf.longformer;
  await modelOf?.longformer.dispose();
  modelOf = null;
  const longformer = await unlessLate(job.signal,
    LongformerModel.fromPretrained(model.choice.open(job.options), { engine: running, dtype: 'f16', ...model.options, ...job.options }));
  modelOf = { model, longformer };
  return longformer;
}

let encodingFor: { opened: Opened; model: Model; encoding: Tokens } | null = null;

type Tokens = Pick<Encoding, 'inputIds' | 'offsets' | 'specialTokensMask'>;

const FILES = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt'];

async function encodingOf(opened: Opened, model: Model, { signal, options }: Job): Promise<Tokens> {
  if (encodingFor?.opened === opened && encodingFor.model === model) return encodingFor.encoding;
  const source = model.choice.open(options);
  const files = typeof source === 'string' ? source : new Map<string, Blob>();
  if (typeof source !== 'string') {
    for (const name of FILES) {
      const blob = await source.open(name);
      if (blob !== null) (files as Map<string, Blob>).set(name, blob);
    }
  }
  const worker = new Worker(new URL('./tokens.worker.ts', import.meta.url), { type: 'module', name: 'tokens' });
  try {
    const encoding = await new Promise<Tokens>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      worker.onerror = () => reject(new Error('The tokenizer could not be started.'));
      worker.onmessage = ({ data }: MessageEvent<TokensReply>) => ('encoding' in data ? resolve(data.encoding) : reject(new Error(data.problem)));
      worker.postMessage({ source: files, options: model.options, text: opened.flow.text } satisfies TokensRequest);
    });
    encodingFor = { opened, model, encoding };
    return encoding;
  } finally {
    worker.terminate();
  }
}
