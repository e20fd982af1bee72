// `longformer-wasm pattern`: who sees whom, as a picture.

import { bandsOf, readConfig } from '../config.ts';
import { openSource } from '../files/open.ts';
import type { SourceOptions } from '../files/source-options.ts';
import { firstPosition } from '../models/prefix.ts';
import { headsNamed, patternSvg, type PatternPicture } from '../pattern-svg.ts';
import { readArguments, readCount, readCounts, UsageError, type Command } from './command.ts';
import { writeOutput } from './output.ts';

/** What `parseArgs` is to know of. */
const OPTIONS = {
  figure: { type: 'boolean' },
  model: { type: 'string' },
  revision: { type: 'string' },
  layer: { type: 'string' },
  head: { type: 'string' },
  tokens: { type: 'string' },
  window: { type: 'string' },
  dilation: { type: 'string' },
  causal: { type: 'boolean' },
  global: { type: 'string' },
  output: { type: 'string' },
} as const;

interface Given {
  /** A number, or one for each head. */
  dilation: number[] | undefined;
  globalTokens: number[];
  tokens: number | undefined;
  /** Both sides together. */
  window: number | undefined;
  layer: number | undefined;
  head: number | undefined;
}

export const pattern: Command = {
  summary: 'draws which tokens see which, as SVG',
  usage: `Usage: longformer-wasm pattern [options]

  --tokens N           tokens to draw (default: 24, with --model as many as show the pattern)
  --window N           keys that a token sees, both sides together (default: 6)
  --dilation N         distance between these keys (default: 1); one number for each head,
                       separated by commas, draws a panel for each that differs
  --causal             no token sees a later one
  --global POSITIONS   global tokens, separated by commas
  --output FILE        where the picture goes (default: standard output)

Instead of a pattern of your own:

  --figure             the four patterns of the paper's figure 2
  --model MODEL [--revision NAME] --layer L [--head H]
                       those of a model's layer, counted from 0, by its config.json; the
                       model is a folder, or an id of the Hugging Face Hub
`,
  async run(args, signal) {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (positionals.length > 0) throw new UsageError(`no arguments are taken but options, got ${JSON.stringify(positionals[0])}`);
    refuseTogether(values);
    const given: Given = {
      dilation: readCounts('dilation', values.dilation),
      globalTokens: readCounts('global', values.global, 0) ?? [],
      tokens: readCount('tokens', values.tokens),
      window: readCount('window', values.window, 2),
      layer: readCount('layer', values.layer, 0),
      head: readCount('head', values.head, 0),
    };
    if ((given.window ?? 0) % 2 !== 0) throw new UsageError(`--window must be even, it counts both sides, got ${given.window}`);
    const pictures = values.figure ? FIGURE
      : [values.model === undefined ? ownPattern(given, values.causal ?? false) : await patternOfLayer(values.model, given, { revision: values.revision, signal })];
    await writeOutput(values.output, patternSvg(pictures));
  },
};

/** Options that say the same thing twice, or say nothing without another. */
function refuseTogether(values: Readonly<Record<string, unknown>>): void {
  const source = values['figure'] ? 'figure' : values['model'] === undefined ? null : 'model';
  const senseless = source === 'figure' ? ['model', 'revision', 'layer', 'head', 'tokens', 'window', 'dilation', 'causal', 'global']
    : source === 'model' ? ['dilation', 'causal'] : ['revision', 'layer', 'head'];
  const found = senseless.find((name) => values[name] !== undefined);
  if (found !== undefined) throw new UsageError(source === null ? `--${found} needs --model` : `--${found} does not go with --${source}`);
  if (source === 'model' && values['layer'] === undefined) throw new UsageError('--layer must be given with --model');
}

/** The patterns of the paper's figure 2, in its order. */
const FIGURE: readonly PatternPicture[] = [
  { title: 'Full attention', seqLen: 24, oneSidedWindow: 23 },
  { title: 'Sliding window', seqLen: 24, oneSidedWindow: 3 },
  { title: 'Dilated sliding window', seqLen: 24, oneSidedWindow: 3, dilation: 2 },
  { title: 'Global + sliding window', seqLen: 24, oneSidedWindow: 3, globalTokens: [0, 15] },
];

function ownPattern({ tokens = 24, window = 6, dilation = [1], globalTokens }: Given, causal: boolean): PatternPicture {
  return { seqLen: tokens, oneSidedWindow: window / 2, dilation, causal, globalTokens };
}

async function patternOfLayer(model: string, { tokens, window, globalTokens, layer, head }: Given, options: SourceOptions): Promise<PatternPicture> {
  const config = await readConfig(await openSource(model, options));
  const { num_hidden_layers: layers, num_attention_heads: heads, max_position_embeddings: rows } = config;
  if (layer! >= layers) throw new UsageError(`--layer must be below the model's ${layers}, got ${layer}`);
  if (head !== undefined && head >= heads) throw new UsageError(`--head must be below the model's ${heads}, got ${head}`);
  const { oneSidedWindow, dilations } = bandsOf(config, window)[layer!]!;
  const dilation = head === undefined ? dilations : [dilations[head]!];
  const span = 2 * oneSidedWindow * Math.max(...dilation) + 1;
  return {
    title: head === undefined ? `Layer ${layer}` : `Layer ${layer}, ${headsNamed([head])}`,
    seqLen: tokens ?? Math.min(Math.max(3 * span, 24), rows - firstPosition('', config), 1024),
    oneSidedWindow, dilation, causal: config.autoregressive, globalTokens,
  };
}
