// `longformer-wasm attend`: what one token of a document pays to the others.

import { readConfig, type LongformerConfig } from '../config.ts';
import { DTYPES } from '../dtype.ts';
import { LongformerError } from '../errors.ts';
import { openSource } from '../files/open.ts';
import type { HubOptions } from '../files/source-options.ts';
import type { LoadOptions } from '../loading.ts';
import { LongformerModel } from '../longformer-models.ts';
import type { Encoding } from '../tokenizer/encoding.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { attentionSvg } from './attention-svg.ts';
import { attentionText } from './attention-text.ts';
import { meanOfHeads, positionsOf, seenKeys, wordOf, type AttentionView } from './attention-view.ts';
import { readArguments, readChoice, readCount, readCounts, readSource, SOURCE_OPTIONS, UsageError, type Command } from './command.ts';
import { writeOutput } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import { count, printable } from './terminal.ts';
import { readTexts, type TextFile } from './texts.ts';

/** What `parseArgs` is to know of. */
const OPTIONS = {
  model: { type: 'string' },
  ...SOURCE_OPTIONS,
  token: { type: 'string' },
  position: { type: 'string' },
  layer: { type: 'string' },
  head: { type: 'string' },
  global: { type: 'string' },
  top: { type: 'string' },
  svg: { type: 'string' },
  dtype: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const attend: Command = {
  summary: 'shows what a token of a document attends to',
  usage: `Usage: longformer-wasm attend --model MODEL (--token WORD | --position N) [options] FILE

FILE is a text file, or - for standard input. It is read as a whole.

  --model MODEL        a Longformer with its tokenizer: a folder, or an id of the Hugging Face Hub
  --revision NAME      a branch, tag or commit of the Hub (default: main)
  --cache-dir DIR      where files of the Hub are kept (default: as Python's huggingface_hub)
  --local-files-only   takes what is there, and fetches nothing
  --token WORD         the token that attends: the first of the word where it first stands
  --position N         the same by its number; the first token is 0
  --layer L            counted from 0 (default: the last)
  --head H             counted from 0, or mean (default), the mean of all heads
  --global POSITIONS   global tokens, separated by commas (default: none)
  --top N              tokens to list (default: 10)
  --svg FILE           a picture instead: a row for each head, a column for each token it sees
  --dtype KIND         how weights are kept: f32 (default), f16 or int8
  --threads N          threads that compute (default: by the cores)
  --json               as a line of JSON
`,
  async run(args, signal) {
    const { values, positionals } = readArguments(args, OPTIONS);
    const { model: folder, token, svg } = values;
    const [file] = positionals;
    if (folder === undefined) throw new UsageError('--model must be given');
    if ((token === undefined) === (values.position === undefined)) throw new UsageError('either --token or --position must be given');
    if (token?.trim() === '') throw new UsageError('--token must not be blank');
    if (file === undefined || positionals.length > 1) throw new UsageError(`one FILE must be given, or - for standard input, got ${positionals.length}`);
    if (svg !== undefined && values.json) throw new UsageError('--json does not go with --svg');
    const position = readCount('position', values.position, 0);
    const layer = readCount('layer', values.layer, 0);
    const head = values.head === 'mean' ? undefined : readCount('head', values.head, 0);
    const globalTokens = [...new Set(readCounts('global', values.global, 0) ?? [])].sort((a, b) => a - b);
    const top = readCount('top', values.top);
    const dtype = readChoice('dtype', values.dtype, DTYPES);
    const threads = readCount('threads', values.threads);
    const hub = readSource(values);

    const { texts: [document], skipped: [refused] } = await readTexts([file]);
    if (document === undefined) throw new LongformerError('BAD_FILE', refused!.path, refused!.reason);
    const { config, tokenizer, commit } = await open(folder, hub, signal);
    checkBelow('layer', layer, config.num_hidden_layers, 'layers of the model');
    checkBelow('head', head, config.num_attention_heads, 'heads of the model');
    const encoding = tokenizer.encode(document.text);
    for (const one of globalTokens) checkBelow('global', one, encoding.inputIds.length, 'tokens of the text');
    checkBelow('position', position, encoding.inputIds.length, 'tokens of the text');
    const places = token === undefined ? [position!] : positionsOf(token, { text: document.text, encoding });
    if (places.length === 0) throw new LongformerError('BAD_INPUT', printable(document.path), `must hold ${JSON.stringify(token)}, does not`);

    const view = await read(folder, { document, encoding, query: places[0]!, layer: layer ?? config.num_hidden_layers - 1, head, globalTokens, withHeads: svg !== undefined }, { ...hub, ...commit, threads, dtype, signal });
    if (svg !== undefined) {
      await writeOutput(svg, attentionSvg(view));
    } else if (values.json) {
      process.stdout.write(`${JSON.stringify(jsonOf(view, document, places, top))}\n`);
    } else {
      if (places.length > 1) process.stderr.write(`${JSON.stringify(token)} stands ${count(places.length)} times, at tokens ${someOf(places)}: this is the first\n`);
      process.stdout.write(attentionText(view, top ?? 10, process.stdout));
    }
  },
};

interface Opened {
  config: LongformerConfig;
  tokenizer: Tokenizer;
  /** What the weights must be of as well, of the Hub. */
  commit: { revision?: string };
}

async function open(folder: string, hub: HubOptions, signal: AbortSignal): Promise<Opened> {
  const bar = new ProgressBar(process.stderr);
  try {
    const source = await openSource(folder, { ...hub, signal, onProgress: (progress) => bar.show(progress) });
    const config = await readConfig(source);
    const tokenizer = await loadTokenizer(source);
    return { config, tokenizer, commit: source.commit ? { revision: source.commit } : {} };
  } finally {
    bar.clear();
  }
}

function checkBelow(name: string, value: number | undefined, limit: number, what: string): void {
  if (value !== undefined && value >= limit) throw new LongformerError('BAD_INPUT', `--${name}`, `must be below the ${count(limit)} ${what}, got ${value}`);
}

interface Wanted {
  document: TextFile;
  encoding: Encoding;
  query: number;
  layer: number;
  /** One of them; undefined: their mean. */
  head: number | undefined;
  globalTokens: number[];
  /** Whether each head is wanted besides their mean. */
  withHeads: boolean;
}

async function read(folder: string, wanted: Wanted, options: LoadOptions & { signal: AbortSignal }): Promise<AttentionView> {
  const { document, encoding, query, layer, head, globalTokens, withHeads } = wanted;
  const bar = new ProgressBar(process.stderr);
  const watched = { signal: options.signal, onProgress: (progress: Parameters<ProgressBar['show']>[0]) => bar.show(progress) };
  try {
    const model = await LongformerModel.fromPretrained(folder, { ...options, ...watched });
    try {
      const { inputIds } = encoding;
      if (inputIds.length > model.maxTokens) {
        throw new LongformerError('BAD_INPUT', printable(document.path),
          `must have at most ${count(model.maxTokens)} tokens, the model has no more positions; has ${count(inputIds.length)}`);
      }
      const { dims: [heads], data } = await model.attentionOf({ inputIds, globalTokens }, { ...watched, layer, position: query });
      const rowOf = (head: number) => ({ head, weights: data.subarray(head * inputIds.length, (head + 1) * inputIds.length) });
      const rows = head !== undefined ? [rowOf(head)] : [
        { head: 'mean' as const, weights: meanOfHeads(data, inputIds.length) },
        ...(withHeads ? Array.from({ length: heads! }, (_, head) => rowOf(head)) : []),
      ];
      return { text: document.text, encoding, layer, query, globalTokens, rows };
    } finally {
      await model.dispose();
    }
  } finally {
    bar.clear();
  }
}

/** A token of the text has a `start` and an `end` in it, one that is not of the text none. */
function tokenJson(view: AttentionView, position: number): object {
  const { encoding } = view;
  const [start, end] = encoding.offsets[position]!;
  return { position, token: wordOf(view, position), ...(encoding.sequenceIds[position] !== null && { start, end }) };
}

function jsonOf(view: AttentionView, { path }: TextFile, places: readonly number[], top: number | undefined): object {
  const { query, layer, globalTokens, encoding, rows } = view;
  const { head, weights } = rows[0]!;
  return {
    path, tokens: encoding.inputIds.length, layer, head, globalTokens,
    query: tokenJson(view, query),
    places,
    keys: seenKeys(weights).slice(0, top).map(({ position, weight }) => ({ ...tokenJson(view, position), distance: position - query, weight })),
  };
}

/** `17, 90, 233, ...` */
function someOf(places: readonly number[]): string {
  return `${places.slice(0, 8).map(count).join(' ')}${places.length > 8 ? ' ...' : ''}`;
}
