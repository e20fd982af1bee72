// `longformer-wasm attend`: what one token of a document pays to the others.

import { readConfig, type LongformerConfig } from '../config.ts';
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
import { checkBelow, command, UsageError } from './command.ts';
import { JSON_OPTION, MODEL_OPTIONS, readModel } from './model-options.ts';
import { number, numbers, text, type Option } from './option.ts';
import { writeOutput } from './output.ts';
import { withBar, withEngine, type Session } from './session.ts';
import { count, printable } from './terminal.ts';
import { readTexts, type TextFile } from './texts.ts';

export const attend = command({
  name: 'attend',
  summary: 'shows what a token of a document attends to',
  synopsis: '--model MODEL (--token WORD | --position N) [options] FILE',
  about: `FILE is a text file, or - for standard input. It is read as a whole. On a terminal with colours the text is painted, each token on a background as strong as its weight.`,
  options: {
    token: text('WORD', 'the token that attends: the first of the word where it first stands'),
    position: number('N', 'the same by its number; the first token is 0', { least: 0 }),
    layer: number('L', 'counted from 0', { least: 0, preset: 'the last' }),
    head: headOrMean('H', 'counted from 0, or mean, that of all heads', { preset: 'mean' }),
    global: numbers('POSITIONS', 'global tokens, separated by commas', { least: 0, preset: 'none' }),
    top: number('N', 'tokens to list', { preset: '10' }),
    svg: text('FILE', 'a picture instead: a row for each head, a column for each token it sees', { names: 'file' }),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ['attend -m ./minilm-long --token king --global 0 book.md', 'what the first "king" of a book looks at, with the first token global'],
    ['attend -m ./minilm-long --token king --layer 0 --svg king.svg book.md', 'its heads in the first layer, as a picture'],
    ['attend -m ./minilm-long --position 17 --json - < book.md', 'the same for a token by its number, for programs'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const { token, position, layer, head, top, svg } = values;
    const { model: folder, load } = readModel(values);
    const [file] = operands;
    if ((token === undefined) === (position === undefined)) throw new UsageError('either --token or --position must be given');
    if (token?.trim() === '') throw new UsageError('--token must not be blank');
    if (file === undefined || operands.length > 1) throw new UsageError(`one FILE must be given, or - for standard input, got ${operands.length}`);
    if (svg !== undefined && values.json) throw new UsageError('--json does not go with --svg');
    const globalTokens = [...new Set(values.global ?? [])].sort((a, b) => a - b);

    const { texts: [document], skipped: [refused] } = await readTexts([file]);
    if (document === undefined) throw new LongformerError('BAD_FILE', refused!.path, refused!.reason);
    const { config, tokenizer, commit } = await open(folder, load, signal);
    checkBelow('layer', layer, config.num_hidden_layers, 'layers of the model');
    checkBelow('head', head === 'mean' ? undefined : head, config.num_attention_heads, 'heads of the model');
    const encoding = encode(document, tokenizer, config.max_position_embeddings);
    for (const one of globalTokens) checkBelow('global', one, encoding.inputIds.length, 'tokens of the text');
    checkBelow('position', position, encoding.inputIds.length, 'tokens of the text');
    const places = token === undefined ? [position!] : positionsOf(token, { text: document.text, encoding });
    if (places.length === 0) throw new LongformerError('BAD_INPUT', printable(document.path), `must hold ${JSON.stringify(token)}, does not`);

    await withEngine(values, signal, async (session) => {
      const wanted = { document, encoding, query: places[0]!, layer: layer ?? config.num_hidden_layers - 1, head: head ?? 'mean', globalTokens, withHeads: svg !== undefined };
      const view = await read(folder, wanted, { ...load, ...commit }, session);
      if (svg !== undefined) {
        await writeOutput(svg, attentionSvg(view));
      } else if (values.json) {
        session.print(`${JSON.stringify(jsonOf(view, document, places, top))}\n`);
      } else {
        session.print(attentionText(view, top ?? 10, process.stdout));
        if (places.length > 1) process.stderr.write(`${JSON.stringify(token)} stands ${count(places.length)} times, at tokens ${someOf(places)}: this is the first\n`);
      }
    });
  },
});

/** A head by its number, or their mean. */
function headOrMean(value: string, about: string, besides: { preset: string }): Option<number | 'mean'> {
  const one = number(value, about, { ...besides, least: 0 });
  return { ...one, read: (given, name) => (given === 'mean' ? given : one.read(given, name)) };
}

interface Opened {
  config: LongformerConfig;
  tokenizer: Tokenizer;
  /** What the weights must be of as well, of the Hub. */
  commit: { revision?: string };
}

async function open(folder: string, hub: HubOptions, signal: AbortSignal): Promise<Opened> {
  return withBar(signal, async (watched) => {
    const source = await openSource(folder, { ...hub, ...watched });
    const config = await readConfig(source);
    const tokenizer = await loadTokenizer(source);
    return { config, tokenizer, commit: source.commit ? { revision: source.commit } : {} };
  });
}

/** A text that is far too long is refused by its beginning: all of it may take seconds, in which Ctrl-C is not heard. */
function encode({ path, text }: TextFile, tokenizer: Tokenizer, positions: number): Encoding {
  const beginning = tokenizer.encode(text.slice(0, positions * LONG_TOKEN));
  if (text.length <= positions * LONG_TOKEN) return beginning;
  const { length } = beginning.inputIds;
  if (length <= positions) return tokenizer.encode(text);
  throw new LongformerError('BAD_INPUT', printable(path),
    `must have no more tokens than the model has positions, ${count(positions)}; the first ${count(positions * LONG_TOKEN)} characters alone have ${count(length)}`);
}

/** Characters: no text has tokens so long on an average. */
const LONG_TOKEN = 32;

interface Wanted {
  document: TextFile;
  encoding: Encoding;
  query: number;
  layer: number;
  head: number | 'mean';
  globalTokens: number[];
  /** Whether each head is wanted besides their mean. */
  withHeads: boolean;
}

async function read(folder: string, wanted: Wanted, load: LoadOptions, { engine, watched }: Session): Promise<AttentionView> {
  const { document, encoding, query, layer, head, globalTokens, withHeads } = wanted;
  const model = await LongformerModel.fromPretrained(folder, { ...load, engine, ...watched });
  const { inputIds } = encoding;
  if (inputIds.length > model.maxTokens) {
    throw new LongformerError('BAD_INPUT', printable(document.path),
      `must have at most ${count(model.maxTokens)} tokens, the model has no more positions; has ${count(inputIds.length)}`);
  }
  const { dims: [heads], data } = await model.attentionOf({ inputIds, globalTokens }, { ...watched, layer, position: query });
  const rowOf = (head: number) => ({ head, weights: data.subarray(head * inputIds.length, (head + 1) * inputIds.length) });
  const rows = head !== 'mean' ? [rowOf(head)] : [
    { head, weights: meanOfHeads(data, inputIds.length) },
    ...(withHeads ? Array.from({ length: heads! }, (_, head) => rowOf(head)) : []),
  ];
  return { text: document.text, encoding, layer, query, globalTokens, rows };
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

/** `17, 90, 1,233, ...` */
function someOf(places: readonly number[]): string {
  return `${places.slice(0, 8).map(count).join(', ')}${places.length > 8 ? ', ...' : ''}`;
}
